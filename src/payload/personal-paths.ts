/** The usual names of fields with personal data, for a source that does not say where its events have such. */
export const usualPersonalPaths: readonly string[] = [
  ...['email', 'emailAddress', 'email_address', 'phone', 'phoneNumber', 'phone_number'],
  ...['firstName', 'first_name', 'lastName', 'last_name', 'fullName', 'full_name'],
  ...['address', 'line1', 'line2', 'address1', 'address2', 'street', 'city', 'zip', 'postalCode', 'postal_code'],
  ...['ip', 'ipAddress', 'ip_address', 'browserIp', 'browser_ip', 'taxId', 'tax_id', 'last4', 'lastFour', 'iban'],
  ...['customer', 'billing_details', 'shipping'].map((place) => `${place}.name`)
].map((path) => `**.${path}`)
