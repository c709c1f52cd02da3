const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const moduleUrl = (path: string): URL => new URL(`../${path}.${extension}`, import.meta.url)

/**
 * What `import ... from 'riverhook'` gives to a handlers file or to the config file: this package, so that there is one
 * instance.
 */
export const ownPackage = {
  packageUrl: moduleUrl('index'),
  subpaths: {
    resources: moduleUrl('source/digital-river/resources/index'),
    sources: moduleUrl('sources'),
    testing: moduleUrl('testing/index'),
    web: moduleUrl('web')
  }
}
