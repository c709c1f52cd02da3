import { ownExtension } from '../model/own-extension.ts'

const moduleUrl = (path: string): URL => new URL(`../${path}.${ownExtension}`, import.meta.url)

/**
 * The modules that `import ... from 'riverhook'` loads in a handlers file or the config file: this package, so that
 * there is only one instance.
 */
export const ownPackage = {
  packageUrl: moduleUrl('index'),
  subpaths: {
    admin: moduleUrl('admin/index'),
    resources: moduleUrl('source/digital-river/resources/index'),
    sources: moduleUrl('sources'),
    testing: moduleUrl('testing/index'),
    web: moduleUrl('web')
  }
}
