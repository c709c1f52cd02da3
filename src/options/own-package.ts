import { ownModule } from '../model/own-place.ts'

/**
 * The modules that `import ... from 'riverhook'` loads in a handlers file or the config file: this package, so that
 * there is only one instance.
 */
export const ownPackage = {
  packageUrl: ownModule('index'),
  subpaths: {
    admin: ownModule('admin/index'),
    resources: ownModule('source/digital-river/resources/index'),
    sources: ownModule('sources'),
    testing: ownModule('testing/index'),
    web: ownModule('web')
  }
}
