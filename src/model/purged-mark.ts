/**
 * The watermark that `prune()` moves. An unknown event of the realm from before that time may have been handled and
 * purged.
 */
export const purgedMark = 'purged'
