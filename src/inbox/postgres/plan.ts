/*
 * While the tables are new, the planner takes them for empty. It would then rather read all deliveries that are due
 * than look up some of them in the primary key, and keep that plan until the tables are analysed.
 */

/** Writes a condition in a way in which the planner uses no index for it. */
export function withoutIndex(condition: string): string {
  return `(${condition}) IS TRUE`
}

/*
 * Few deliveries may be pending or parked when the tables are analysed, and very many soon after. Until the next time,
 * the planner takes every index of that state for almost empty, and may look for an order key in one that begins with
 * the handler alone. So these indexes have a second condition, which is always true: a statement without it cannot use
 * them.
 */

/** The condition of the index `delivery_due`. */
export const isClaimable = (alias: string): string =>
  `${alias}.state IN ('pending', 'running') AND ${alias}.attempts >= 0`

/** The condition of the index `delivery_parked`. */
export const isParked = (alias: string): string => `${alias}.state = 'parked' AND ${alias}.attempts >= 0`
