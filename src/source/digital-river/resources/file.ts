import { Type, type Static } from 'typebox'

import { count, flag, instant, metadata, oneOf, parts, resource, text } from './kinds.ts'

export const fileSchema = resource({
  id: Type.Optional(text),
  /** Needs the secret key. */
  url: Type.Optional(text),
  /** False in the test environment. */
  // In a sample only.
  liveMode: Type.Optional(flag)
})
/** A document of an order. Its URL needs the secret key. */
export interface File extends Static<typeof fileSchema> {}

export const fileLinkSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  expired: Type.Optional(flag),
  expiresTime: Type.Optional(instant),
  fileId: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag),
  /** The merchant's own fields. */
  metadata: Type.Optional(metadata),
  /** Open to whoever has it, until `expiresTime`. */
  url: Type.Optional(text)
})
/** A public URL of a file, for a time. */
export interface FileLink extends Static<typeof fileLinkSchema> {}

export const fileObjectSchema = resource({
  id: text,
  createdTime: Type.Optional(instant),
  fileName: Type.Optional(text),
  links: Type.Optional(parts<FileLink>(fileLinkSchema)),
  purpose: Type.Optional(oneOf('tax_document_customer_upload', 'customer_invoice', 'customer_credit_memo')),
  title: Type.Optional(text),
  /** In bytes. */
  size: Type.Optional(count),
  /** The extension, such as pdf. */
  type: Type.Optional(text),
  /** Needs the secret key. */
  url: Type.Optional(text),
  /** False in the test environment. */
  liveMode: Type.Optional(flag)
})
/** A file kept by Digital River. */
export interface FileObject extends Static<typeof fileObjectSchema> {}

export const invoiceFileSchema = resource({
  id: text,
  /** The same as `id`. */
  fileId: text,
  orderId: text,
  /** Absent where the buyer is a guest. */
  customerId: Type.Optional(text),
  purpose: oneOf('customer_invoice', 'customer_credit_memo'),
  /** Needs the secret key. */
  invoiceURL: text
})
/** Where the invoice or the credit memo of an order lies. Known from samples only: no model has it. */
export interface InvoiceFile extends Static<typeof invoiceFileSchema> {}
