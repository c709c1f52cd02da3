/**
 * Where events hold personal data: the fields of a buyer, an address, a tax identifier and a payment source in the
 * provider's API. `data` also has the values before a change, as `previousAttributes`.
 */
export const personalPaths: readonly string[] = [
  ...['email', 'phone', 'phoneNumber', 'firstName', 'lastName', 'organization', 'address', 'additionalAddressInfo'],
  ...['browserIp', 'lastFourDigits', 'accountNumber', 'accountHolder', 'iban', 'payerName', 'taxIdentifiers.value'],
  ...['billTo', 'shipTo', 'shipping', 'owner', 'addresses', 'returnTo', 'location'].map((place) => `${place}.name`)
]
  .map((path) => `data.**.${path}`)
  // A tax identifier itself.
  .concat('data.object.value')
