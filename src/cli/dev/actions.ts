import { spawn } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'

import type { EventKey, ReceivedMessage, SettledMessage } from '../../index.ts'
import { matches } from '../../programs.ts'
import { sampleBody } from '../../testing/index.ts'
import { print, style, styled } from '../output.ts'
import { counted } from '../print.ts'
import { signedPost } from '../signed-post.ts'
import type { KeyAction } from './keys.ts'
import { printFacts, printLine, shortId } from './lines.ts'
import type { App, ServedEndpoint, Session } from './session.ts'

/** The actions of the keys of `riverhook dev`. */
export function actionsOf({ app, endpoints, pageUrl }: Session): readonly KeyAction[] {
  /** By the path of the endpoint: another provider has other types. */
  const lastTypes = new Map<string, string>()
  let failure: { readonly key: EventKey; readonly type: string; readonly handler: string } | undefined
  subscribe('riverhook:received', (message) => {
    const { endpoint, event_type: type } = message as ReceivedMessage
    lastTypes.set(endpoint, type)
  })
  subscribe('riverhook:settled', (message) => {
    const { state, realm, event_id: id, event_type: type, handler } = message as SettledMessage
    if (state === 'dead' || state === 'retry') failure = { key: { realm, id }, type, handler }
  })
  const actions: KeyAction[] = [
    {
      key: 't',
      means: 'send a sample event: of the type that came last, or of the first handler',
      async run() {
        const endpoint = endpoints().find(({ secret }) => secret !== undefined)
        if (endpoint?.secret === undefined) {
          say('No endpoint has a signing secret: send with riverhook send or with the provider')
          return
        }
        const { source, secret, url, given, path } = endpoint
        const type = lastTypes.get(path) ?? (await typeToSend(await app(), endpoint))
        const { body, id } = sampleBody(source, { type, liveMode: given.mode === 'live' })
        const answer = await signedPost({ url, source }, { body: Buffer.from(JSON.stringify(body)), secret, id, type })
        // A line of the request has the reason of a 401.
        if (!answer.ok && answer.status !== 401) say(`The server answered ${answer.status}: ${answer.text}`)
      }
    },
    {
      key: 'r',
      means: 'run the last failure again',
      async run() {
        if (failure === undefined) {
          say('Nothing has failed since the start; for earlier failures: riverhook failures')
          return
        }
        const { key, type, handler } = failure
        const { riverhook } = await app()
        const count = await riverhook.replay({ events: [key], handler })
        const of = `${type} ${shortId(key.id)}`
        if (count > 0) {
          say(`${counted(count, 'delivery', 'deliveries')} of ${of} will run now: ${handler}`)
          return
        }
        const found = await riverhook.inbox.event(key)
        const state = found?.deliveries.find((delivery) => delivery.handler === handler)?.state
        say(`Nothing runs again: the last failure, ${handler} of ${of}, is ${state ?? 'no longer in the inbox'}`)
      }
    },
    {
      key: 'o',
      means: "open the operator's page",
      run() {
        if (pageUrl === undefined) say('The page is not built: npm run build:page')
        else open(pageUrl)
      }
    },
    {
      key: '?',
      means: 'show these keys',
      run() {
        for (const { key, means } of actions) print(styled`  ${style('bold', key)}  ${means}`)
        print(styled`  ${style('bold', 'Ctrl-C')}  stop; twice: at once`)
      }
    }
  ]
  return actions
}

/** A type that the first handler of the endpoint's source takes. */
async function typeToSend(app: App, { source }: ServedEndpoint): Promise<string | undefined> {
  const { types } = source
  const [first] = (await app.riverhook.inbox.handlers()).filter((handler) => handler.source === source.name)
  const pattern = first?.pattern ?? '*'
  const usual = 'order.accepted'
  return types.includes(usual) && matches(pattern, usual)
    ? usual
    : (types.find((type) => matches(pattern, type)) ?? exampleOf(pattern))
}

/** A type that matches a pattern. @returns undefined for `*`: the source has a usual one */
function exampleOf(pattern: string): string | undefined {
  return pattern === '*' ? undefined : pattern.replaceAll('*', 'example')
}

function say(text: string): void {
  printLine(style('dim', '·'), styled`${text}`)
}

/** Opens an address in the browser, and prints it, because there may be none. */
function open(url: string): void {
  const [command, ...args]: [string, ...string[]] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url]
  // An address that is broken cannot be opened.
  printFacts([['page', url]])
  const opener = spawn(command, args, { stdio: 'ignore', detached: true })
  opener.on('error', () => {
    say('No browser can be opened from here: open the address yourself')
  })
  opener.unref()
}
