import { Type, type Static } from 'typebox'

import { flag, instant, metadata, oneOf, parts, resource, text } from './kinds.ts'

export const fileSchema = resource({
  /** Digital River's id of the file. */
  id: Type.Optional(text),
  /** Where its content can be fetched, with the secret key. */
  url: Type.Optional(text),
  /** False in the test environment. */
  // In a sample only.
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
  /** Until when the link works. */
  expiresTime: Type.Optional(instant),
  /** The id of the file that it leads to. */
  fileId: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** Anybody who has it can use it until `expiresTime`. */
  url: Type.Optional(text)
})
/** A public URL of a file, for a time. */
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
  /** What it is for: a customer's proof for the tax authority, an invoice, a credit memo. */
  purpose: Type.Optional(oneOf('tax_document_customer_upload', 'customer_invoice', 'customer_credit_memo')),
  /** A title for people to read. */
  title: Type.Optional(text),
  /** In bytes. */
  size: Type.Optional(Type.Number()),
  /** The extension, such as pdf. */
  type: Type.Optional(text),
  /** Where its content can be fetched, with the secret key. */
  url: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A file kept by Digital River. */
export interface FileObject extends Static<typeof fileObjectSchema> {}

// One sample, and no model: no more than the id is certain.
export const invoiceFileSchema = resource({
  /** Digital River's id of the file. */
  id: text,
  /** The same as `id`. */
  fileId: Type.Optional(text),
  /** The id of the order that it belongs to. */
  orderId: Type.Optional(text),
  /** Digital River's id of the buyer. Absent where the buyer is a guest. */
  customerId: Type.Optional(text),
  /** Whether an invoice or a credit memo. */
  purpose: Type.Optional(oneOf('customer_invoice', 'customer_credit_memo')),
  /** Where its content can be fetched, with the secret key. */
  invoiceURL: Type.Optional(text)
})
/** Where the invoice or the credit memo of an order lies. Known from samples only: no model has it. */
export interface InvoiceFile extends Static<typeof invoiceFileSchema> {}
