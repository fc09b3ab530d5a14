// Checks the types of all blocks in one program, and writes them and the library as JavaScript.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import type { Block } from './blocks.ts'

const virtualFolder = resolve('blocks')
const runner = resolve('test/docs/runner.ts')
// Imported by nobody: threads begin with them.
const hosts = [
  'src/actor/thread-host.ts',
  'src/store/postgres/lease-thread.ts',
  'src/store/sqlite/lease-thread.ts',
  'src/worker/thread-host.ts',
  'src/script/thread-host.ts',
].map((host) => resolve(host))
const fileOf = (index: number): string => join(virtualFolder, `block-${index}.ts`)

const packageJson = {
  name: 'troupe',
  type: 'module',
  exports: { '.': './src/index.js', './actor': './src/actor.js', './testing': './src/testing/testing.js' },
}
const paths = {
  troupe: ['./src/index.ts'],
  'troupe/actor': ['./src/actor.ts'],
  'troupe/testing': ['./src/testing/testing.ts'],
}

/** What the compiler says of each block; afterwards `folder` is a package in which they can run. */
export function compile(blocks: readonly Block[], folder: string): string[][] {
  const texts = new Map(blocks.map((block, index) => [fileOf(index), withExpectations(block.code)]))
  const program = programOf(texts, folder)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify(packageJson))
  program.emit()
  return blocks.map((block, index) => complaints(program, block, fileOf(index)))
}

/** `console.log(x) // 42` becomes a call that compares what it prints with the comment. */
function withExpectations(code: string): string {
  const call = /\bconsole\.log\((?=.*\);? \/\/ (.+)$)/
  const lines = code
    .split('\n')
    .map((line) => line.replace(call, (_, text: string) => `said(${JSON.stringify(text)}, `))
  const expected = lines.flatMap((line) => /\bsaid\(("(?:[^"\\]|\\.)*"), /.exec(line)?.[1] ?? [])
  const head = `import { says } from '../test/docs/says.ts'; const said = says([${expected.join(', ')}]); `
  return head + lines.join('\n')
}

function programOf(texts: ReadonlyMap<string, string>, outDir: string): ts.Program {
  const config: unknown = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config
  const options: ts.CompilerOptions = {
    ...ts.parseJsonConfigFileContent(config, ts.sys, process.cwd()).options,
    noEmit: false,
    paths,
    noUnusedLocals: false,
    noUnusedParameters: false,
    // Node 20 does not know `await using`.
    target: ts.ScriptTarget.ES2022,
    rootDir: process.cwd(),
    outDir,
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path)
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version)
  }
  return ts.createProgram([runner, ...hosts, ...texts.keys()], options, host)
}

function complaints(program: ts.Program, block: Block, file: string): string[] {
  const source = program.getSourceFile(file)
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  return found.map(({ messageText, start }) => {
    const line = source?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0
    return `${block.file}:${block.line + line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}
