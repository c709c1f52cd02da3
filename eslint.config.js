import js from '@eslint/js'
import tseslint from 'typescript-eslint'
import ts from 'typescript'

/**
 * A logger writes every property of an error, and those of HTTP clients hold requests with their credentials: only
 * `loggedError(error)` may be passed to one. Reports whatever may be an error in the first argument of
 * `log.warn(...)` and the like, or is of no known type.
 */
const noRawError = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { raw: 'Pass `err: loggedError(error)` to the log: an error has properties that must not be logged.' }
  },
  create(context) {
    const services = context.sourceCode.parserServices
    const checker = services.program.getTypeChecker()
    const mayBeError = (type) =>
      (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0 ||
      (type.isUnion() ? type.types.some(mayBeError) : type.isClassOrInterface() && isError(type))
    const isError = (type) => type.symbol.name === 'Error' || (checker.getBaseTypes(type) ?? []).some(isError)
    return {
      'CallExpression[callee.property.name=/^(trace|debug|info|warn|error|fatal)$/]'({ callee, arguments: [first] }) {
        if (first === undefined || !/log(ger)?$/i.test(context.sourceCode.getText(callee.object))) return
        const node = services.esTreeNodeToTSNodeMap.get(first)
        const type = checker.getTypeAtLocation(node)
        const isRaw =
          mayBeError(type) ||
          type.getProperties().some((property) => mayBeError(checker.getTypeOfSymbolAtLocation(property, node)))
        if (isRaw) context.report({ node: first, messageId: 'raw' })
      }
    }
  }
}

const restricted = [
  {
    selector: 'VariableDeclaration[kind=/using/]',
    message: 'Node 22 does not support it: close in a teardown, or in finally.'
  }
]

export default tseslint.config(
  {
    ignores: [
      'dist/',
      '.oldest/',
      '.bundle/',
      '.tap/',
      '.riverhook/',
      'test/bench/peers/',
      'test/package/consumer/',
      'coverage/'
    ]
  },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', '*.cjs'] },
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...restricted],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // There is no enum: TypeScript's `erasableSyntaxOnly` forbids them. The rule costs a tenth of the time of all.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      // An interface may require an async method that does not await in the simplest engine.
      '@typescript-eslint/require-await': 'off'
    }
  },
  {
    files: ['src/**'],
    ignores: ['src/**/timers.ts', 'src/options/value-file.ts', 'src/page/**', 'src/server/**', 'src/cli/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:timers', 'node:timers/promises'].map((name) => ({
            name,
            message: 'Import it from timers.ts, which exports the real one.'
          }))
        }
      ]
    }
  },
  {
    files: ['src/**'],
    ignores: ['src/page/**'],
    plugins: { riverhook: { rules: { 'no-raw-error': noRawError } } },
    rules: {
      'riverhook/no-raw-error': 'error',
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'].map(
          (name) => ({
            name,
            message:
              "Import it from timers.ts: the fake timers of a user's test replace the global one, and what waits would hang."
          })
        )
      ]
    }
  },
  {
    files: ['test/**', 'examples/**', 'src/cli/**'],
    rules: {
      'no-console': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: ['test', 'rejects', 'resolves'], package: '@tapjs/core' }] }
      ],
      '@typescript-eslint/no-non-null-assertion': 'off'
    }
  },
  {
    // External text may have escape sequences. output.ts prints them as text.
    files: ['src/cli/**'],
    ignores: ['src/cli/output.ts', 'src/cli/main.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { name: 'node:util', importNames: ['styleText'], message: 'Use style() of output.ts.' }
      ],
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        ...restricted,
        {
          selector: "CallExpression[callee.property.name='write'][callee.object.property.name=/^std(out|err)$/]",
          message: 'Use print() or printError() of output.ts.'
        }
      ]
    }
  },
  {
    files: ['test/**'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      // Tests make objects that are like an instance on purpose. The rule costs an eighth of the time of all.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // Assertion messages name hostile values, in any textual form.
      '@typescript-eslint/no-base-to-string': 'off'
    }
  },
  {
    // An interface over a schema's type gives editors a name to show.
    files: ['src/source/digital-river/resources/**'],
    rules: {
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      // `string & {}` keeps the documented values in the editor's list and allows any other text.
      '@typescript-eslint/no-empty-interface': 'off'
    }
  },
  {
    // Never run: a name, a comparison or an access is there only for its type.
    files: ['test/types/**'],
    rules: {
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-unused-vars': 'off'
    }
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false }, globals: { module: 'writable', require: 'readonly' } }
  }
)
