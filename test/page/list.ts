import type { Page } from 'playwright-core'

/** Waits until the list of events has this number of rows. */
export async function listHas(page: Page, count: number): Promise<void> {
  const links = page.locator('a[data-row]')
  if (count > 0) await links.nth(count - 1).waitFor()
  await links.nth(count).waitFor({ state: 'detached' })
}
