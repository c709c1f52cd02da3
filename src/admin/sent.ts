/** The value that a route returns to send `Json`: times may be dates, and fields that are undefined are left out. */
export type Sent<Json> = unknown extends Json
  ? unknown
  : Json extends string
    ? string extends Json
      ? string | Date
      : Json
    : Json extends readonly (infer Item)[]
      ? readonly Sent<Item>[]
      : Json extends object
        ? {
            readonly [Name in keyof Json]: object extends Pick<Json, Name>
              ? Sent<Json[Name]> | undefined
              : Sent<Json[Name]>
          }
        : Json
