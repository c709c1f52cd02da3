import { Type, type Static } from 'typebox'

import { flag, instant, metadata, oneOf, parts, resource, text } from './kinds.ts'

export const fileSchema = resource({
  /** Digital River's id of the file. */
  id: Type.Optional(text),
  /** The URL of its content, which needs the secret key. */
  url: Type.Optional(text),
  /** False in the test environment. */
  // Seen in one sample only.
  liveMode: Type.Optional(flag)
})
/** A document of an order. Its URL needs the secret key. */
export interface File extends Static<typeof fileSchema> {}

export const fileLinkSchema = resource({
  /** Digital River's id of the link. */
  id: text,
  /** When the link was made. */
  createdTime: Type.Optional(instant),
  /** Whether the link no longer works. */
  expired: Type.Optional(flag),
  /** When the link expires. */
  expiresTime: Type.Optional(instant),
  /** The id of the linked file. */
  fileId: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** Anybody with the URL can use it until `expiresTime`. */
  url: Type.Optional(text)
})
/** A public, temporary URL of a file. */
export interface FileLink extends Static<typeof fileLinkSchema> {}

export const fileObjectSchema = resource({
  /** Digital River's id of the file. */
  id: text,
  /** When the file was stored. */
  createdTime: Type.Optional(instant),
  /** The name of the file, with its extension. */
  fileName: Type.Optional(text),
  /** The public links to it. */
  links: Type.Optional(parts<Partial<FileLink>>(Type.Partial(fileLinkSchema))),
  /** Its purpose: a customer's tax certificate, an invoice, a credit memo. */
  purpose: Type.Optional(oneOf('tax_document_customer_upload', 'customer_invoice', 'customer_credit_memo')),
  /** A human-readable title. */
  title: Type.Optional(text),
  /** In bytes. */
  size: Type.Optional(Type.Number()),
  /** The extension, such as pdf. */
  type: Type.Optional(text),
  /** The URL of its content, which needs the secret key. */
  url: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A file stored by Digital River. */
export interface FileObject extends Static<typeof fileObjectSchema> {}

// One sample and no model, so only the id is certain.
export const invoiceFileSchema = resource({
  /** Digital River's id of the file. */
  id: text,
  /** The same as `id`. */
  fileId: Type.Optional(text),
  /** The id of the order. */
  orderId: Type.Optional(text),
  /** Digital River's id of the buyer. Absent for a guest. */
  customerId: Type.Optional(text),
  /** The type of the document: an invoice or a credit memo. */
  purpose: Type.Optional(oneOf('customer_invoice', 'customer_credit_memo')),
  /** The URL of its content, which needs the secret key. */
  invoiceURL: Type.Optional(text)
})
/** The URL of an order's invoice or credit memo. Known from samples only: no model has it. */
export interface InvoiceFile extends Static<typeof invoiceFileSchema> {}
