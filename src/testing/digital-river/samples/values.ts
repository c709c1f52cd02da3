import { before, type Scene } from './scene.ts'

type Maker = (scene: Scene) => unknown

/** Says that the field is there, made as its schema says. */
export const bySchema = Symbol('by its schema')

const absent: Maker = () => undefined
const nothing: Maker = () => 0
const fullName: Maker = ({ buyer }) => `${buyer.firstName} ${buyer.lastName}`
const productName: Maker = () => 'Blue teapot'
const no: Maker = () => false
/** For what is there only under events whose type matches. */
const only =
  (types: RegExp, maker: Maker = () => bySchema): Maker =>
  (scene) =>
    types.test(scene.type) ? maker(scene) : undefined

/** For what only an order of the hosted checkout has. */
const hostedOnly = (maker?: Maker): Maker => only(/^checkout_session\./, maker)

/** A draft has no customer yet, and no period. */
const unlessDraft =
  (maker: Maker): Maker =>
  (scene) =>
    /^subscription\.(?:created|deleted)$/.test(scene.type) ? undefined : maker(scene)
/** A chargeback takes back what a sale has brought. */
const taken =
  (maker: (scene: Scene) => number): Maker =>
  (scene) =>
    scene.type === 'order.chargeback' ? 0 - maker(scene) : maker(scene)
const whoseTurn: Maker = ({ type }) =>
  /^(?:invoice|subscription)\./.test(type) ? 'merchant_initiated' : 'customer_initiated'
/**
 * A refund is for lines of the order, or has an amount: so in the samples, of which those that wait have no charges
 * yet.
 */
const isForItems = ({ type }: Scene): boolean => /^refund\.(?:pending|created|updated)$/.test(type)

/**
 * The value of a field, by its name, or by its name and that of the field or resource around it. A maker that returns
 * undefined omits the field.
 */
export const values: Readonly<Record<string, Maker>> = {
  // The buyer
  email: ({ buyer }) => `${buyer.firstName}.${buyer.lastName}@example.com`.toLowerCase(),
  firstName: ({ buyer }) => buyer.firstName,
  lastName: ({ buyer }) => buyer.lastName,
  name: fullName,
  recipient: fullName,
  verifiedName: fullName,
  'taxIdentifiers.type': ({ market }) => market.address.country.toLowerCase(),
  'TaxIdentifier.type': ({ market }) => market.address.country.toLowerCase(),
  'CustomerTaxIdentifier.type': ({ market }) => market.address.country.toLowerCase(),
  value: ({ market, ids }) => `${market.address.country}${ids.customer.slice(0, 9)}`,
  'Fee.value': () => 'portable',
  entity: () => 'DR_IRELAND-ENTITY',
  entityId: () => 'DR_IRELAND-ENTITY',
  entityName: () => 'Digital River Ireland Ltd.',
  localizedText: () => 'I accept the terms of sale.',
  verifiedAddress: ({ market: { address } }) => `${address.line1}, ${address.postalCode} ${address.city}`,
  payerName: () => 'Digital River Ireland Ltd.',
  payeeName: () => 'Example Ltd.',
  'sellingEntity.name': () => 'Digital River Ireland Ltd.',
  'sellingEntity.id': () => 'DR_IRELAND-ENTITY',
  accountHolder: () => 'Digital River Ireland Ltd.',
  bankName: () => 'Example Bank',
  swiftCode: () => 'EXAMIE2D',
  iban: absent,
  companyName: () => 'Example Ltd.',
  organization: absent,
  'Customer.type': () => 'individual',
  customerType: () => 'individual',
  phone: ({ ids }) => `+1 202 555 01${ids.customer.slice(-2)}`,
  phoneNumber: ({ ids }) => `+1 202 555 01${ids.customer.slice(-2)}`,
  browserIp: ({ dice }) => `192.0.2.${dice.whole(1, 254)}`,
  line1: ({ market }) => market.address.line1,
  line2: absent,
  city: ({ market }) => market.address.city,
  postalCode: ({ market }) => market.address.postalCode,
  'address.state': ({ market }) => market.address.state,
  'purchaseLocation.state': ({ market }) => market.address.state,
  country: ({ market }) => market.address.country,
  shipFromState: ({ market }) => market.address.state,
  shipToState: ({ market }) => market.address.state,
  billToState: ({ market }) => market.address.state,
  shipFromCountry: ({ market }) => market.address.country,
  shipToCountry: ({ market }) => market.address.country,
  billToCountry: ({ market }) => market.address.country,
  subdivisions: ({ market }) => [market.address.state],
  taxAuthority: ({ market }) => market.address.state,
  additionalAddressInfo: absent,
  additionalBankInformation: absent,

  // Which one
  'Order.id': ({ ids }) => ids.order,
  'orderDetails.id': ({ ids }) => ids.order,
  orderId: ({ ids }) => ids.order,
  'Customer.id': ({ ids }) => ids.customer,
  customerId: ({ ids }) => ids.customer,
  'Sku.id': ({ ids }) => ids.sku,
  'productDetails.id': ({ ids }) => ids.sku,
  skuId: ({ ids, type }) => (type.startsWith('refund.') ? undefined : ids.sku),
  'Plan.id': ({ ids }) => ids.plan,
  planId: ({ ids }) => ids.plan,
  'Source.id': ({ sourceId }) => sourceId,
  'sources.id': ({ sourceId }) => sourceId,
  sourceId: ({ sourceId }) => sourceId,
  defaultSourceId: ({ sourceId }) => sourceId,
  'items.id': ({ ids }) => ids.item,
  itemId: ({ ids }) => ids.item,
  lineItemId: ({ ids }) => ids.item,
  'Subscription.id': ({ ids }) => ids.subscription,
  'subscription.id': ({ ids }) => ids.subscription,
  subscriptionId: ({ ids }) => ids.subscription,
  billingAgreementId: unlessDraft(({ ids }) => ids.billingAgreement),
  'Subscription.customerId': unlessDraft(({ ids }) => ids.customer),
  'Subscription.sourceId': unlessDraft(({ sourceId }) => sourceId),
  fulfillmentId: ({ dice }) => `ful_${dice.uuid()}`,
  'Charge.id': ({ ids }) => ids.charge,
  'charges.id': ({ ids }) => ids.charge,
  'Invoice.id': ({ ids }) => ids.invoice,
  'invoice.id': ({ ids }) => ids.invoice,
  // In no sample: those are refunds of orders.
  'OrderRefund.invoiceId': absent,
  'OrderRefund.id': ({ ids }) => ids.refund,
  refundIds: only(/^return\.accepted$/, ({ ids }) => [ids.refund]),
  'session.id': ({ ids }) => ids.paymentSession,
  paymentSessionId: ({ ids }) => ids.paymentSession,
  id: ({ dice }) => dice.uuid(),
  upstreamId: ({ ids }) => `web-${ids.order}`,
  orderUpstreamId: ({ ids }) => `web-${ids.order}`,
  checkoutSessionId: hostedOnly(({ dice }) => dice.uuid()),
  applicationId: () => 'example-shop/1.0',
  clientSecret: ({ dice }) => `${dice.uuid()}_${dice.uuid()}`,
  token: ({ dice }) => dice.uuid(),
  siteId: absent,

  // The product
  'items.name': productName,
  'productDetails.name': productName,
  'Sku.name': productName,
  'Plan.name': () => 'Tea of the month',
  description: () => 'Holds one litre',
  'shippingChoice.description': () => 'Standard ground',
  serviceLevel: () => 'SG',
  partNumber: () => 'TEA-BLUE-1',
  countryOfOrigin: () => 'PT',
  weight: () => 900,
  weightUnit: () => 'g',
  image: () => 'https://www.example.com/images/blue-teapot.jpg',
  url: ({ dice }) => `https://www.example.com/files/${dice.uuid()}`,
  hsCode: () => '6911.10',
  eccn: () => 'EAR99',
  taxCode: () => '4323.310_A',
  skuTaxCode: () => '4323.310_A',
  redirectUrl: () => 'https://pay.example.com/authorise',
  returnUrl: () => 'https://www.example.com/checkout/paid',
  cancelUrl: () => 'https://www.example.com/checkout',
  invoicePDFs: ({ payment }) => (payment === 'captured' || payment === 'refunded' ? bySchema : undefined),
  creditMemoPDFs: ({ payment }) => (payment === 'refunded' ? bySchema : undefined),
  fileName: () => 'invoice.pdf',
  size: () => 48_213,
  condition: () => 'new',
  terms: () => 'Paid monthly, ends when cancelled.',
  metadata: () => ({ channel: 'web' }),
  orderMetadata: () => ({ channel: 'web' }),
  lineItemMetadata: () => ({}),
  // Digital River adds these two only where the merchant asked for expanded events.
  'productDetails.physical': absent,
  'productDetails.metadata': absent,
  // The same field in another spelling, of which the wire has one.
  livemode: absent,
  atttributes: absent,
  orderUpstreamID: absent,
  // Of Taiwan: no market here.
  invoiceAttribute: absent,
  invoiceAttributes: absent,
  'InvoiceAttributes.type': () => 'tw_individual_mobile_barcode',
  attributes: () => ({ MOBILE_BARCODE: '/ABC+123' }),
  taxIdentifiers: only(/^customer\./),
  taxCertificates: absent,
  sellerTaxIdentifier: absent,
  purchaseLocation: absent,
  disclosures: only(/^checkout\./),
  saveForLater: hostedOnly(no),
  consents: hostedOnly(),
  pricingFormat: hostedOnly(({ market }) => ({
    currencyNumberFormat: '#,###.##',
    symbol: market.symbol,
    decimalPlaces: market.digits,
    currencySymbolBeforePrice: true,
    useCurrencySymbolSpace: false
  })),
  sku: hostedOnly(),
  'sku.id': ({ ids }) => ids.sku,
  'sku.name': productName,
  nextAction: absent,
  partnerAccountId: absent,
  itemBreadcrumb: absent,
  language: ({ market }) => market.locale.slice(0, 2),
  'OrderRefund.source': absent,
  'sources.upstreamId': absent,
  'Order.billingOptimization': absent,
  'Checkout.billingOptimization': absent,
  'subscription.siteId': absent,
  autoRenewal: () => true,
  freeTrial: no,
  giftWrap: no,
  giftMessage: absent,
  requestToBeForgotten: no,
  expired: no,
  importerOfRecordTax: no,
  'Order.taxInclusive': hostedOnly(no),
  taxInclusive: no,
  reusable: ({ type }) => /^(?:customer|source|subscription)\./.test(type),
  liveMode: ({ liveMode }) => liveMode,

  // How much. Samples have no discount on what they total; a percentage stands for an amount, never both.
  currency: ({ market }) => market.currency,
  cardCurrency: ({ market }) => market.currency,
  locale: ({ market }) => market.locale,
  rate: ({ market }) => market.taxRate,
  exchangeRate: () => 1,
  conversionRate: () => 1,
  quantity: ({ quantity }) => quantity,
  price: ({ market }) => market.price,
  aggregatePrice: absent,
  discount: absent,
  totalDiscount: nothing,
  totalShipping: ({ sums }) => sums.shipping,
  totalTax: ({ sums }) => sums.tax,
  subtotal: ({ sums }) => sums.subtotal,
  totalAmount: ({ sums }) => sums.total,
  amount: ({ sums }) => sums.total,
  'items.amount': ({ sums, type }) => (type.startsWith('refund.') ? sums.itemsTotal : sums.items),
  'items.subtotal': ({ sums }) => sums.items,
  'items.total': ({ sums }) => sums.itemsTotal,
  'tax.amount': ({ sums }) => sums.itemsTax,
  'shipping.amount': ({ sums }) => sums.shipping,
  'shipping.taxAmount': ({ sums }) => sums.shippingTax,
  'shippingChoice.amount': ({ sums }) => sums.shipping,
  'shippingChoice.taxAmount': ({ sums }) => sums.shippingTax,
  'fees.amount': nothing,
  'fees.details': absent,
  'duties.amount': nothing,
  'importerTax.amount': nothing,
  'Fee.amount': ({ sums }) => sums.fee,
  'sources.amount': ({ sums, type }) => (/^(?:customer|source)\./.test(type) ? undefined : sums.total),
  'Source.amount': absent,
  // By the methods that are named, paid or not.
  amountContributed: ({ sums }) => sums.total,
  amountRemainingToBeContributed: nothing,
  capturedAmount: ({ sums, payment }) => (/^(?:collecting|captured|refunded)$/.test(payment) ? sums.total : 0),
  'captures.amount': ({ sums, type }) => (/\.capture\.(?:failed|completed?)$/.test(type) ? sums.half : sums.total),
  'cancels.amount': ({ sums, type }) => (type.includes('.cancel.') ? sums.half : sums.total),
  'refunds.amount': ({ sums, type }) => (type.startsWith('order.charge.refund.') ? sums.half : sums.total),
  cancelledAmount: ({ sums, payment }) => (payment === 'cancelled' ? sums.total : 0),
  refundedAmount: ({ sums, payment, type }) =>
    payment === 'refunded' || /^refund\.(?:completed?|succeeded)$/.test(type) ? sums.total : 0,
  availableToRefundAmount: ({ sums, payment }) => (payment === 'captured' ? sums.total : 0),
  'items.availableToRefundAmount': ({ sums, payment }) => (payment === 'captured' ? sums.items : 0),
  'items.refundedAmount': ({ sums, type }) => (/^refund\.(?:completed?|succeeded)$/.test(type) ? sums.total : 0),
  'SalesTransaction.amount': taken(({ sums }) => sums.items),
  'payoutAmounts.amount': taken(({ sums }) => sums.items),
  'payoutAmounts.productPrice': taken(({ sums }) => sums.items),
  'payoutAmounts.tax': taken(({ sums }) => sums.itemsTax),
  'payoutAmounts.shipping': taken(({ sums }) => sums.shipping),
  digitalRiverShare: taken(({ sums }) => sums.share),
  payoutAmount: taken(({ sums }) => sums.payout),
  'SalesTransaction.type': ({ type }) => (type === 'order.chargeback' ? 'fraud_chargeback' : 'sale'),
  percent: absent,

  // How it went
  'OrderRefund.type': absent,
  'OrderRefund.items': (scene) => (isForItems(scene) ? bySchema : []),
  'OrderRefund.amount': (scene) => (isForItems(scene) ? undefined : scene.sums.total),
  'OrderRefund.charges': (scene) => (isForItems(scene) ? undefined : bySchema),
  'items.type': absent,
  fraudState: ({ type }) =>
    /^order\.(blocked|review_opened)$/.exec(type)?.[1] ??
    (/pending_payment|submitted/.test(type) ? undefined : 'passed'),
  flow: ({ method }) => ({ creditCard: 'standard', payPal: 'redirect', wireTransfer: 'receiver' })[method],
  'Source.type': ({ method }) => method,
  'sources.type': ({ method }) => method,
  paymentType: ({ method }) => method,
  'payPal.directDebit': absent,
  charges: ({ payment }) => (payment === 'open' ? undefined : bySchema),
  'Charge.type': whoseTurn,
  'charges.type': whoseTurn,
  chargeType: whoseTurn,
  // Both are true once it was asked for, however it ends: so in the samples.
  captured: ({ payment, type }) => /^(?:collecting|captured|refunded)$/.test(payment) || type.includes('.capture.'),
  refunded: ({ payment, type }) => payment === 'refunded' || type.includes('refund.'),
  captures: ({ payment, type }) =>
    /^(?:collecting|captured|refunded)$/.test(payment) || type.includes('.capture.') ? bySchema : undefined,
  cancels: ({ payment, type }) => (payment === 'cancelled' || type.includes('.cancel.') ? bySchema : undefined),
  refunds: ({ payment, type }) => (payment === 'refunded' || type.includes('refund.') ? bySchema : undefined),
  cancelReason: only(/^order\.cancelled$/, () => 'Ordered twice'),
  reason: () => 'The lid does not fit',
  failureReason: only(/^refund\.failed$/, () => 'The account is closed'),
  failureCode: only(/\.(?:capture|cancel|refund)\.failed$/, () => 'declined'),
  failureMessage: only(/\.(?:capture|cancel|refund)\.failed$/, () => 'The bank declined.'),
  'Charge.failureCode': only(/^order\.charge\.failed$/, () => 'declined'),
  'Charge.failureMessage': only(/^order\.charge\.failed$/, () => 'The bank declined.'),
  'charges.failureCode': only(/payment_failed$/, () => 'declined'),
  'charges.failureMessage': only(/payment_failed$/, () => 'The bank declined.'),
  tokenInformation: only(/^refund\.pending_information$/),
  quantityAccepted: ({ quantity, type }) => (type.endsWith('accepted') ? quantity : 0),
  cancelQuantity: nothing,
  pending: ({ quantity, type }) => (type.endsWith('pending') ? quantity : 0),
  backordered: ({ quantity, type }) => (type.endsWith('backordered') ? quantity : 0),
  cancelled: ({ quantity, type }) => (type.endsWith('cancelled') ? quantity : 0),
  ordered: only(/backordered$/, ({ quantity }) => quantity),
  totalBackordered: only(/backordered$/, ({ quantity }) => quantity),
  availableTime: only(/backordered$/, (scene) => before(scene, -14 * 24 * 60)),
  shipped: nothing,
  returned: nothing,
  attemptCount: ({ payment }) => (payment === 'open' ? 0 : 1),
  'Invoice.orderId': only(/^invoice\.paid$/, ({ ids }) => ids.order),
  'invoice.orderId': only(/^subscription\.extended$/, ({ ids }) => ids.order),
  collectionPeriodDays: () => 10,
  reminderOffsetDays: () => 3,
  contractBindingDays: () => 365,
  trackingCompany: () => 'Example Parcel',
  trackingNumber: ({ ids }) => `EX${ids.item}`,
  trackingUrl: ({ ids }) => `https://parcel.example.com/track/EX${ids.item}`,
  expirationMonth: ({ dice }) => dice.whole(1, 12),
  expirationYear: ({ at, dice }) => at.getUTCFullYear() + dice.whole(1, 4),
  brand: () => 'Visa',
  lastFourDigits: ({ dice }) => dice.digits(4),
  fundingSource: () => 'credit',

  // When
  createdTime: (scene) => before(scene, 30),
  updatedTime: (scene) => before(scene, 0),
  startDate: () => '2026-01-01',
  endDate: (scene) => before(scene, -365 * 24 * 60),
  endTime: (scene) => before(scene, -30 * 24 * 60),
  expiresTime: (scene) => before(scene, -90 * 24 * 60),
  'OrderRefund.expiresTime': only(/^refund\.pending_information$/, (scene) => before(scene, -90 * 24 * 60)),
  contractBindingUntil: unlessDraft((scene) => before(scene, -365 * 24 * 60)),
  currentPeriodStartDate: unlessDraft((scene) => before(scene, 0)),
  currentPeriodEndDate: unlessDraft((scene) => before(scene, -30 * 24 * 60)),
  nextInvoiceDate: unlessDraft((scene) => before(scene, -28 * 24 * 60)),
  nextReminderDate: unlessDraft((scene) => before(scene, -25 * 24 * 60))
}
