/**
 * Where events hold personal data: the fields of a buyer, an address, a tax identifier, a payment source, an invoice
 * for China or Taiwan, and a shipped device in the provider's API; free texts of the buyer; and credentials of the
 * buyer's browser. `data` also has the values before a change, as `previousAttributes`.
 *
 * Not among them: `metadata`, which only the merchant knows, and names of products, sellers, stores and banks.
 */
export const personalPaths: readonly string[] = [
  // A person or a company.
  ...['email', 'phone', 'phoneNumber', 'firstName', 'lastName', 'recipient', 'payerName', 'organization'],
  ...['companyName', 'verifiedName', 'verifiedAddress', 'taxIdentifiers.value', 'browserIp'],
  ...['billTo', 'shipTo', 'shipping', 'owner', 'addresses', 'returnTo', 'location'].map((place) => `${place}.name`),
  // An address.
  ...['address', 'additionalAddressInfo', 'line1', 'line2', 'city', 'postalCode'],
  // A means of payment.
  ...['lastFourDigits', 'accountNumber', 'accountHolder', 'iban', 'billId', 'customerPaymentReference'],
  // Texts of the buyer, and files of the customer.
  ...['giftMessage', 'shippingInstructions', 'fileName', 'links.url'],
  // The fields of an invoice, in both spellings of the model.
  ...['attributes', 'atttributes'],
  // Devices, which identify their user.
  ...['imeiNumber', 'simCardNumber', 'serialNumber'],
  // Credentials, and pages, by which anybody can act for the buyer.
  ...['clientSecret', 'sourceClientSecret', 'token', 'fingerprintToken', 'challengeToken'],
  ...['redirectUrl', 'printableInvoiceUrl', 'receiptNumber']
]
  .map((path) => `data.**.${path}`)
  // A tax identifier, the link of a file, and the buyer of an order to a warehouse. A product and a plan have a name
  // there, too, which is hidden with it: the path does not show the type.
  .concat(
    ['object', 'previousAttributes'].flatMap((place) => ['value', 'url', 'name'].map((name) => `data.${place}.${name}`))
  )
