export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Fails to compile unless both types are the same one; `any` is the same as nothing else. */
export function same<A, B>(..._proof: Same<A, B> extends true ? [] : [never]): void {}
