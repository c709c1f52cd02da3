/** The extension of this package's modules: `ts` in a clone, `js` in the published package. */
export const ownExtension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
