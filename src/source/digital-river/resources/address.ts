import { Type, type Static } from 'typebox'

import { oneOf, part, resource, text } from './kinds.ts'

export const addressSchema = resource({
  /** Street and number. */
  line1: Type.Optional(text),
  line2: Type.Optional(text),
  city: Type.Optional(text),
  postalCode: Type.Optional(text),
  /** State, province or region, such as MN. */
  state: Type.Optional(text),
  /** ISO 3166-1 alpha-2, such as DE. */
  country: text
})
/** A postal address. Only the country is certain. */
export interface Address extends Static<typeof addressSchema> {}

export const additionalAddressInfoSchema = resource({
  /** Such as a colonia in Mexico or a bairro in Brazil. */
  neighborhood: Type.Optional(text),
  /** A part of a company, in Japan. */
  division: Type.Optional(text),
  /** How the name is spoken, in Japan. */
  phoneticName: Type.Optional(text)
})
/** Parts of an address that only some countries have. */
export interface AdditionalAddressInfo extends Static<typeof additionalAddressInfoSchema> {}

export const additionalBillingAddressInfoSchema = resource({
  neighborhood: Type.Optional(text),
  /** A part of a company, in Japan. */
  division: Type.Optional(text),
  /** How the name is spoken, in Japan. */
  phoneticName: Type.Optional(text),
  /** As spoken to in France. */
  title: Type.Optional(oneOf('M', 'Mme', 'Mlle'))
})
/** The same for a billing address, with a title. */
export interface AdditionalBillingAddressInfo extends Static<typeof additionalBillingAddressInfoSchema> {}

export const organizationSchema = resource({
  id: Type.Optional(text)
})
/** The company that buys, as the merchant knows it. */
export interface Organization extends Static<typeof organizationSchema> {}

export const shipFromSchema = resource({
  address: Type.Optional(part<Address>(addressSchema)),
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema))
})
/** Where goods leave from; it decides taxes and duties. */
export interface ShipFrom extends Static<typeof shipFromSchema> {}

export const shippingSchema = resource({
  address: Type.Optional(part<Address>(addressSchema)),
  name: Type.Optional(text),
  phone: Type.Optional(text),
  email: Type.Optional(text),
  organization: Type.Optional(text),
  additionalAddressInfo: Type.Optional(part<AdditionalAddressInfo>(additionalAddressInfoSchema))
})
/** Where goods go to, and to whom. */
export interface Shipping extends Static<typeof shippingSchema> {}

export const billingSchema = resource({
  address: Type.Optional(part<Address>(addressSchema)),
  name: Type.Optional(text),
  phone: Type.Optional(text),
  email: Type.Optional(text),
  organization: Type.Optional(text),
  additionalAddressInfo: Type.Optional(part<AdditionalBillingAddressInfo>(additionalBillingAddressInfoSchema))
})
/** Who is billed, and where. */
export interface Billing extends Static<typeof billingSchema> {}

export const locationSchema = resource({
  address: Type.Optional(part<Address>(addressSchema)),
  name: Type.Optional(text),
  phone: Type.Optional(text),
  email: Type.Optional(text)
})
/** A place that takes goods back. */
export interface Location extends Static<typeof locationSchema> {}
