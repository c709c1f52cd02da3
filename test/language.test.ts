import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import t from 'tap'
import ts from 'typescript'

// Risk: sentences that only their author understands at the first reading.

interface Rule {
  readonly pattern: RegExp
  /** The text to write instead. */
  readonly plain: string
}

interface Sentence {
  readonly file: string
  readonly line: number
  readonly text: string
}

/** The words of rule 2 of "Language" in CONTRIBUTING.md that have a plainer one. */
const words: readonly Rule[] = [
  { pattern: /\bso many\b/i, plain: 'a limit: "at most N", "this many", "the most ..."' },
  { pattern: /\b(tells?|told)\b/i, plain: 'log, report, pass, print, name; "distinguish" for "tell apart"' },
  { pattern: /\bsaid\b/i, plain: 'logged, reported, documented' },
  { pattern: /\bheed(s|ed)?\b/i, plain: 'honour, check' },
  { pattern: /\banew\b/i, plain: 'again' },
  { pattern: /\bby itself\b/i, plain: 'automatically, separately, alone' },
  { pattern: /\bof (its|their) own\b/i, plain: '"its own ...", "a separate ..."' },
  { pattern: /\bfor want of\b/i, plain: 'because there is no ...' },
  { pattern: /\bat hand\b/i, plain: 'available, present' },
  { pattern: /\bwhoever\b/i, plain: 'name the actor: the sender, the caller, a user' },
  { pattern: /\bnobody\b/i, plain: 'name the actor: no caller, no handler, no user' },
  { pattern: /\b(goes|go|going|went|gone) on\b/i, plain: 'continue, happen' },
  { pattern: /\bornaments?\b/i, plain: 'detail' },
  { pattern: /\bat fault\b/i, plain: 'name the cause' },
  { pattern: /\b(he|him|his|himself)\b/i, plain: 'the user, the merchant, the sender; their' }
]

/** For a comment or a title: it begins with an imperative or a noun phrase. */
const beginnings: readonly Rule[] = [
  { pattern: /^(what|who|whoever|whatever)\b/i, plain: 'begin with a verb ("Describes ...") or a noun ("The ...")' }
]

/** For the message of a log line. */
const ofLogs: readonly Rule[] = [
  { pattern: /[^.]\.$/, plain: 'no full stop at the end of a log message' },
  { pattern: /^[A-Z][a-z]/, plain: 'a small letter at the beginning of a log message' }
]

/** Texts in which such a word is right, such as a quoted text of a provider, each with the reason. */
const allowed: readonly (readonly [file: RegExp, text: RegExp, reason: string])[] = [
  [/^src\/cli\/dev\/project\.ts$/, /^Server listening at /, 'the words of Fastify']
]

/** The first argument of an assertion that may be its message. */
const messagePositions: Readonly<Record<string, number>> = {
  comment: 0,
  fail: 0,
  pass: 0,
  doesNotThrow: 1,
  notOk: 1,
  ok: 1,
  rejects: 1,
  resolves: 1,
  throws: 1,
  equal: 2,
  has: 2,
  hasStrict: 2,
  match: 2,
  not: 2,
  notMatch: 2,
  notSame: 2,
  same: 2,
  strictSame: 2
}

const root = new URL('..', import.meta.url)
const files = (pattern: string): string[] =>
  globSync(pattern, { cwd: fileURLToPath(root), exclude: (path) => path.includes('node_modules') }).sort()
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')

const sources = files('{src,examples,test}/**/*.{ts,js,cjs,mjs}')
const configs = files('{eslint.config.js,.dependency-cruiser.cjs}')
const scripts = files('{.ci/run,.dockerignore,.editorconfig,.gitignore,.taprc,Dockerfile,examples/*.yaml}')
const documents = files('{*.md,docs/**/*.md,examples/**/*.md}')

interface Texts {
  readonly comments: readonly Sentence[]
  readonly messages: readonly Sentence[]
  readonly logMessages: readonly Sentence[]
  readonly titles: readonly Sentence[]
}

/** Finds the comments and the literals of a source file. Literals are blanked first, so that "//" in a URL is none. */
function textsOf(file: string, source: string): Texts {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest)
  const at = (position: number): number => tree.getLineAndCharacterOfPosition(position).line + 1
  const messages: Sentence[] = []
  const logMessages: Sentence[] = []
  const titles: Sentence[] = []
  let rest = source
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      const start = node.getStart(tree)
      messages.push({ file, line: at(start), text: node.text })
      rest = blank(rest, start, node.end)
    } else if (ts.isRegularExpressionLiteral(node)) rest = blank(rest, node.getStart(tree), node.end)
    else if (ts.isCallExpression(node)) {
      const message = logMessage(node, tree)
      if (message !== undefined) logMessages.push({ file, line: at(message.pos), text: message.text })
      const title = titleOf(node)
      if (title !== undefined)
        titles.push({ file, line: at(title.getStart(tree)), text: title.getText(tree).slice(1, -1) })
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  const comments = [...rest.matchAll(/\/\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n?)+|\/\/.*/gm)].map((match) => ({
    file,
    line: at(match.index + match[0].search(/\S/)),
    text: plainText(match[0])
  }))
  return { comments, messages, logMessages, titles }
}

/** Replaces a part of a text by spaces. Line ends stay, so that positions do. */
function blank(text: string, from: number, to: number): string {
  return text.slice(0, from) + text.slice(from, to).replace(/[^\n]/g, ' ') + text.slice(to)
}

/** The last argument of `log.warn(keys, 'message')`, if it is a plain text. */
function logMessage(call: ts.CallExpression, tree: ts.SourceFile): ts.StringLiteralLike | undefined {
  const last = call.arguments.at(-1)
  const isLog = /[lL]og\??\.(trace|debug|info|warn|error|fatal)$/.test(call.expression.getText(tree))
  return isLog && last !== undefined && ts.isStringLiteralLike(last) ? last : undefined
}

/** The title of a test, or the message of an assertion. */
function titleOf({ expression, arguments: given }: ts.CallExpression): ts.Node | undefined {
  if (!ts.isPropertyAccessExpression(expression)) return undefined
  const name = expression.name.text
  const messageAt = messagePositions[name]
  const title = name === 'test' ? given[0] : messageAt === undefined ? undefined : given.slice(messageAt).at(-1)
  return title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title)) ? title : undefined
}

/** The comments of a script: whole lines that begin with `#`. */
function scriptComments(file: string): readonly Sentence[] {
  const lines = read(file).split('\n')
  return lines.flatMap((line, index) =>
    /^\s*#(?!!)/.test(line) ? [{ file, line: index + 1, text: line.replace(/^\s*#\s*/, '') }] : []
  )
}

/** A comment without its signs and without code: names in backticks, indented examples and directives for tools. */
function plainText(comment: string): string {
  return comment
    .replace(/^\s*(\/\*+|\*\/|\*(?= |$)|\/\/)/gm, '')
    .replace(/\*\/$/, '')
    .replace(/^ {4,}.*$/gm, ' ')
    .replace(/`[^`]*`/g, '`code`')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The lines of a document outside of code, each with its number. */
function linesOf(file: string): readonly Sentence[] {
  let isCode = false
  return read(file)
    .split('\n')
    .flatMap((line, index) => {
      if (/^\s*```/.test(line)) isCode = !isCode
      return isCode ? [] : [{ file, line: index + 1, text: line.replace(/`[^`]*`/g, '`code`') }]
    })
}

/** Describes each text that breaks a rule: the place, the words around, and what to write instead. */
function findings(texts: readonly Sentence[], rules: readonly Rule[]): readonly string[] {
  return texts.flatMap(({ file, line, text }) =>
    rules.flatMap(({ pattern, plain }) => {
      const match = pattern.exec(text)
      if (match === null || allowed.some(([where, which]) => where.test(file) && which.test(text))) return []
      const around = text.slice(Math.max(0, match.index - 60), match.index + 60)
      return [`${file}:${line}: "${match[0]}" in "...${around}..." - write: ${plain}`]
    })
  )
}

const all = [...sources, ...configs].map((file) => ({ file, ...textsOf(file, read(file)) }))
const isTest = (file: string): boolean => file.startsWith('test/') && !file.startsWith('test/bench/')

t.test('comments use plain words, and begin with a verb or a noun', async (t) => {
  const comments = all.flatMap((texts) => texts.comments)
  t.ok(comments.length > 1_700, 'comments were found')
  t.same(findings([...comments, ...scripts.flatMap(scriptComments)], [...words, ...beginnings]), [])
})

// The other literals of a test are its data.
t.test('messages use plain words', async (t) => {
  t.same(
    findings(
      all.flatMap(({ file, messages }) => (isTest(file) ? [] : messages.filter(({ text }) => /\w \w/.test(text)))),
      words
    ),
    []
  )
})

t.test('titles of tests and messages of assertions use plain words, and begin with a verb or a noun', async (t) => {
  const titles = all.flatMap((texts) => (isTest(texts.file) ? texts.titles : []))
  t.ok(titles.length > 1_000, 'titles were found')
  t.same(findings(titles, [...words, ...beginnings]), [])
})

t.test('a log message begins in lower case, and has no full stop at its end', async (t) => {
  const messages = all.flatMap(({ file, logMessages }) => (isTest(file) ? [] : logMessages))
  t.ok(messages.length > 50, 'log messages were found')
  t.same(findings(messages, ofLogs), [])
})

t.test('documents use plain words', async (t) => {
  t.same(findings(documents.flatMap(linesOf), words), [])
})

t.test('the rules find what they are for', async (t) => {
  const { comments, messages, logMessages, titles } = textsOf(
    'sample.ts',
    [
      '/** What was told. */',
      "const url = 'https://example.com/ and nobody'",
      '// So many',
      '// at a time.',
      "log.warn({}, 'It goes on.')",
      "t.test('what nobody handles', () => { t.equal(1, 1, 'said once') })",
      "t.equal(1, 'data told')"
    ].join('\n')
  )
  t.strictSame(comments, [
    { file: 'sample.ts', line: 1, text: 'What was told.' },
    { file: 'sample.ts', line: 3, text: 'So many at a time.' }
  ])
  t.equal(findings(comments, [...words, ...beginnings]).length, 3)
  t.equal(findings(messages, words).length, 5)
  t.equal(findings(logMessages, ofLogs).length, 2)
  t.same(
    titles.map(({ text }) => text),
    ['what nobody handles', 'said once']
  )
  t.equal(findings(titles, [...words, ...beginnings]).length, 3)
})
