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
  // Required by the model, and in each of the addresses of all samples: often the only field of a shipFrom.
  country: text
})
/** A postal address. Only the country is certain. */
export interface Address extends Static<typeof addressSchema> {}

export const additionalAddressInfoSchema = resource({
  /** Such as a colonia in Mexico or a bairro in Brazil. */
  neighborhood: Type.Optional(nullable(text)),
  /** A part of a company, in Japan. */
  division: Type.Optional(nullable(text)),
  /** How the name is spoken, in Japan. */
  phoneticName: Type.Optional(nullable(text)),
  /** How the given name is spoken, in Japan. Seen in `checkout_session.order.created`. */
  phoneticFirstName: Type.Optional(text),
  /** How the family name is spoken, in Japan. Seen in `checkout_session.order.created`. */
  phoneticLastName: Type.Optional(text)
})
/** Parts of an address that only some countries have. */
export interface AdditionalAddressInfo extends Static<typeof additionalAddressInfoSchema> {}

export const additionalBillingAddressInfoSchema = resource({
  /** Such as a colonia in Mexico or a bairro in Brazil. */
  neighborhood: Type.Optional(nullable(text)),
  /** A part of a company, in Japan. */
  division: Type.Optional(nullable(text)),
  /** How the name is spoken, in Japan. */
  phoneticName: Type.Optional(nullable(text)),
  /** As spoken to in France. */
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
  /** Where it is; in samples often no more than its country. */
  address: Type.Optional(part<Address>(addressSchema)),
  /** Parts of that address that only some countries have. */
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema))
})
/** Where goods leave from; it decides taxes and duties. */
export interface ShipFrom extends Static<typeof shipFromSchema> {}

export const shippingSchema = resource({
  /** Where the goods are brought. */
  address: Type.Optional(part<Address>(addressSchema)),
  /** Who receives them. */
  name: Type.Optional(nullable(text)),
  /** The telephone number of who receives them, written freely: `952-253-1234 x132` is one. */
  phone: Type.Optional(nullable(text)),
  /** The email address of who receives them. */
  email: Type.Optional(nullable(text)),
  /** The company of who receives them. */
  organization: Type.Optional(nullable(text)),
  /** Parts of that address that only some countries have. */
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema)),
  /** Whether the buyer wants it to be kept for the next purchase. Only in `checkout_session.order.created`. */
  saveForLater: Type.Optional(flag)
})
/** Where goods go to, and to whom. */
export interface Shipping extends Static<typeof shippingSchema> {}

export const billingSchema = resource({
  /** Where who pays is at home. */
  // Required by the model, and in all samples; those are of orders and invoices, and a checkout may have the part
  // before the address.
  address: Type.Optional(part<Address>(addressSchema)),
  /** Who is billed. */
  name: Type.Optional(nullable(text)),
  /** The telephone number of who is billed, written freely. */
  phone: Type.Optional(nullable(text)),
  /** The email address of who is billed; it can differ from the order's. */
  email: Type.Optional(nullable(text)),
  /** The company of who is billed. */
  organization: Type.Optional(nullable(text)),
  /** A title, and parts of that address that only some countries have. */
  additionalAddressInfo: Type.Optional(part<AdditionalBillingAddressInfo>(additionalBillingAddressInfoSchema)),
  /** Whether the buyer wants it to be kept for the next purchase. Only in `checkout_session.order.created`. */
  saveForLater: Type.Optional(flag)
})
/** Who is billed, and where. */
export interface Billing extends Static<typeof billingSchema> {}

export const locationSchema = resource({
  /** Where the goods are sent. */
  // Required by the model, with all its fields but line2. No sample shows a place.
  address: Type.Optional(part<Address>(addressSchema)),
  /** The name of the place. */
  name: Type.Optional(nullable(text)),
  /** The telephone number of the place. */
  phone: Type.Optional(nullable(text)),
  /** The email address of the place. */
  email: Type.Optional(nullable(text))
})
/** A place that takes goods back. */
export interface Location extends Static<typeof locationSchema> {}
