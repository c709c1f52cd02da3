/*
 * The usual names of fields with personal data. A source adds those of its provider. Names are compared without regard
 * to case, and `*` in a name stands for any characters: see `Redaction`.
 */

/** Texts, or objects of which all values are personal. */
const names: readonly string[] = [
  ...['*email*', '*phone*', '*mobile_number', 'fax', '*address*', 'ip', '*_ip', 'ip_*', 'browserIp', 'clientIp'],
  ...['remoteIp', 'user_agent', 'userAgent', 'latitude', 'longitude', 'coordinates'],
  ...['*first_name', '*firstName', '*last_name', '*lastName', '*full_name', '*fullName', '*middle_name'],
  ...['given_name', 'givenName', 'family_name', 'familyName', 'surname', 'username', 'user_name', 'nickname'],
  ...['*display_name*', 'displayName', 'real_name*', '*customer_name', '*customerName', 'billing_name'],
  ...['shipping_name', 'contact_name', 'recipient_name', 'payer_name', '*holder*name', 'sender_name'],
  ...['company', '*company_name', '*companyName'],
  ...['line1', 'line2', 'line_1', 'line_2', 'street*', 'city', '*_city', 'zip', 'zip_code', 'zipCode'],
  ...['*postal*', 'postcode', 'post_code'],
  ...['*tax_id*', '*taxId*', 'vat_number', 'vatNumber', 'vat_id', 'ssn', '*social_security*', '*socialSecurity*'],
  ...['passport*', 'national_id*', '*birth*', 'dob', 'gender'],
  ...['last4', 'last_4', 'lastFour', 'last_four', 'last_digits', '*iban*', '*account_number*', '*accountNumber*'],
  ...['*card_number*', '*cardNumber*'],
  // Credentials.
  ...['*password*', '*passcode*', 'access_token', 'refresh_token', 'id_token', 'client_secret', 'api_key']
]

/** Objects and lists that describe a person: of these, the name. */
const people: readonly string[] = [
  ...['customer', 'customer_details', 'billing', 'billing_details', 'shipping', 'shipping_details', 'buyer', 'payer'],
  ...['contact', 'contacts', 'recipient', 'receiver', 'owner', 'sender', 'user', 'profile', 'author', 'committer'],
  ...['person', 'subscriber', 'member', 'cardholder', 'participant', 'registrant']
]

export const usualPersonalPaths: readonly string[] = [...names, ...people.map((person) => `${person}.name`)].map(
  (path) => `**.${path}`
)
