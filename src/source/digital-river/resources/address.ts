import { Type, type Static } from 'typebox'

import { flag, nullable, oneOf, part, resource, text } from './kinds.ts'

export const addressSchema = resource({
  /** Street and number. */
  line1: Type.Optional(nullable(text)),
  /** The second line, such as a suite or a floor. */
  line2: Type.Optional(text),
  /** The town. */
  city: Type.Optional(nullable(text)),
  /** The postal code, such as 55401 or H3H2P2. */
  postalCode: Type.Optional(nullable(text)),
  /** State, province or region, such as MN. */
  state: Type.Optional(nullable(text)),
  /** ISO 3166-1 alpha-2, such as DE. */
  // Required by the model, and present in each address of all samples; often the only field of a shipFrom.
  country: text
})
/** A postal address. Only the country is certain. */
export interface Address extends Static<typeof addressSchema> {}

export const additionalAddressInfoSchema = resource({
  /** Such as a colonia in Mexico or a bairro in Brazil. */
  neighborhood: Type.Optional(nullable(text)),
  /** A division of a company, in Japan. */
  division: Type.Optional(nullable(text)),
  /** The pronunciation of the name, in Japan. */
  phoneticName: Type.Optional(nullable(text)),
  /** The pronunciation of the given name, in Japan. Seen in `checkout_session.order.created`. */
  phoneticFirstName: Type.Optional(text),
  /** The pronunciation of the family name, in Japan. Seen in `checkout_session.order.created`. */
  phoneticLastName: Type.Optional(text)
})
/** Parts of an address that only some countries have. */
export interface AdditionalAddressInfo extends Static<typeof additionalAddressInfoSchema> {}

export const additionalBillingAddressInfoSchema = resource({
  /** Such as a colonia in Mexico or a bairro in Brazil. */
  neighborhood: Type.Optional(nullable(text)),
  /** A division of a company, in Japan. */
  division: Type.Optional(nullable(text)),
  /** The pronunciation of the name, in Japan. */
  phoneticName: Type.Optional(nullable(text)),
  /** The form of address, used in France. */
  title: Type.Optional(nullable(oneOf('M', 'Mme', 'Mlle')))
})
/** The same for a billing address, with a title. */
export interface AdditionalBillingAddressInfo extends Static<typeof additionalBillingAddressInfoSchema> {}

export const organizationSchema = resource({
  /** The id of the company. */
  id: Type.Optional(text)
})
/** The company that buys, as the merchant knows it. */
export interface Organization extends Static<typeof organizationSchema> {}

export const shipFromSchema = resource({
  /** The address; in samples often only its country. */
  address: Type.Optional(part<Address>(addressSchema)),
  /** Parts of that address that only some countries have. */
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema))
})
/** Where goods are shipped from. This determines taxes and duties. */
export interface ShipFrom extends Static<typeof shipFromSchema> {}

export const shippingSchema = resource({
  /** The delivery address. */
  address: Type.Optional(part<Address>(addressSchema)),
  /** The recipient's name. */
  name: Type.Optional(nullable(text)),
  /** The recipient's telephone number, in free form: `952-253-1234 x132` is possible. */
  phone: Type.Optional(nullable(text)),
  /** The recipient's email address. */
  email: Type.Optional(nullable(text)),
  /** The recipient's company. */
  organization: Type.Optional(nullable(text)),
  /** Parts of that address that only some countries have. */
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema)),
  /** Whether the buyer wants to save it for the next purchase. Only in `checkout_session.order.created`. */
  saveForLater: Type.Optional(flag)
})
/** The recipient, and where the goods go. */
export interface Shipping extends Static<typeof shippingSchema> {}

export const billingSchema = resource({
  /** The address of the payer. */
  // Required by the model, and present in all samples. Those are of orders and invoices; a checkout may have the rest
  // before the address.
  address: Type.Optional(part<Address>(addressSchema)),
  /** The payer's name. */
  name: Type.Optional(nullable(text)),
  /** The payer's telephone number, in free form. */
  phone: Type.Optional(nullable(text)),
  /** The payer's email address; it may differ from the order's. */
  email: Type.Optional(nullable(text)),
  /** The payer's company. */
  organization: Type.Optional(nullable(text)),
  /** A title, and parts of that address that only some countries have. */
  additionalAddressInfo: Type.Optional(part<AdditionalBillingAddressInfo>(additionalBillingAddressInfoSchema)),
  /** Whether the buyer wants to save it for the next purchase. Only in `checkout_session.order.created`. */
  saveForLater: Type.Optional(flag)
})
/** The payer and the billing address. */
export interface Billing extends Static<typeof billingSchema> {}

export const locationSchema = resource({
  /** The address that the goods are sent to. */
  // Required by the model, with all its fields except line2. No sample has a location.
  address: Type.Optional(part<Address>(addressSchema)),
  /** The name of the place. */
  name: Type.Optional(nullable(text)),
  /** The telephone number of the place. */
  phone: Type.Optional(nullable(text)),
  /** The email address of the place. */
  email: Type.Optional(nullable(text))
})
/** A location that accepts returned goods. */
export interface Location extends Static<typeof locationSchema> {}
