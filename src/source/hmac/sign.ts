import { randomUUID } from 'node:crypto'

import type { SignInput } from '../source.ts'
import type { HmacSourceOptions } from './hmac-options.ts'
import { writeTime } from './read-header.ts'
import type { Scheme } from './scheme.ts'
import { fill, type Template } from './template.ts'
import { keyAt } from './verify.ts'

type Description = Pick<
  HmacSourceOptions,
  'header' | 'separator' | 'fields' | 'timestampHeader' | 'timestampFormat' | 'id' | 'type' | 'types' | 'sentHeaders'
>

/** Returns a function that signs a body as the provider would. */
export function signer(
  description: Description,
  scheme: Scheme,
  template: Template
): (input: SignInput) => Record<string, string> {
  const { fields, separator = ',', timestampHeader, timestampFormat, types = [], sentHeaders } = description
  const [header = ''] = [description.header].flat()
  return (input) => {
    const { body, secret, at, id = `msg_${randomUUID()}`, type = types[0] ?? 'test' } = input
    const key = keyAt(scheme, secret, 1)
    const timestamp = writeTime(at, timestampFormat)
    const signature = `${key.kind.prefix}${key.sign(fill(template, { id, timestamp, body }))}`
    const time = fields?.timestamp === undefined ? '' : `${fields.timestamp}=${timestamp}${separator}`
    return {
      ...headerOf(description.id, id),
      ...headerOf(description.type, type),
      ...(timestampHeader === undefined ? {} : { [timestampHeader]: timestamp }),
      ...sentHeaders?.({ ...input, id }),
      [header]: fields === undefined ? signature : `${time}${fields.signature}=${signature}`
    }
  }
}

function headerOf(place: Description['id'], value: string): Record<string, string> {
  return typeof place === 'object' && 'header' in place ? { [place.header]: value } : {}
}
