// Lists the public types: what the entry points export and every type of ours that can be reached from there.

import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

export interface Entry {
  /** What a program imports. */
  readonly name: string
  /** The file behind it. */
  readonly file: string
}

/** One text for all entry points: declarations sorted by name, without documentation and private members. */
export function publicTypes(entries: readonly Entry[]): string {
  const declared = declarationFiles(entries.map(({ file }) => resolve(file)))
  const program = programOf(declared)
  const told = new Set<ts.Symbol>()
  const sections = entries.map(({ name, file }) => sectionOf({ name, file: declared.fileOf(file) }, program, told))
  return `${sections.join('\n\n')}\n`
}

interface Declared {
  readonly texts: ReadonlyMap<string, string>
  readonly options: ts.CompilerOptions
  fileOf(source: string): string
}

/** Declaration files live at paths of their own, so that an import does not find the source instead. */
function declarationFiles(files: readonly string[]): Declared {
  const outDir = resolve('.api')
  const options: ts.CompilerOptions = {
    ...projectOptions(),
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    removeComments: true,
    rootDir: resolve('src'),
    outDir,
  }
  const texts = new Map<string, string>()
  ts.createProgram(files, options).emit(undefined, (path, text) => void texts.set(path, text), undefined, true)
  const fileOf = (source: string): string => join(outDir, relative('src', source).replace(/\.ts$/, '.d.ts'))
  return { texts, options, fileOf }
}

function projectOptions(): ts.CompilerOptions {
  const config: unknown = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config
  return ts.parseJsonConfigFileContent(config, ts.sys, process.cwd()).options
}

function programOf({ texts, options }: Declared): ts.Program {
  const host = ts.createCompilerHost(options)
  const folders = new Set([...texts.keys()].map((path) => dirname(path)))
  const { fileExists, readFile, directoryExists } = host
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  host.directoryExists = (path) => folders.has(path) || (directoryExists?.(path) ?? true)
  const getSourceFile = host.getSourceFile.bind(host)
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path)
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version, true)
  }
  return ts.createProgram([...texts.keys()], options, host)
}

/** What earlier sections have told of is not told again. */
function sectionOf({ name, file }: Entry, program: ts.Program, told: Set<ts.Symbol>): string {
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile)
  if (module === undefined) throw new Error(`${file} exports nothing`)
  const exported = checker.getExportsOfModule(module).map((symbol) => unaliased(checker, symbol))
  const reached = reach(checker, exported)
  const inner = [...reached].filter((symbol) => !exported.includes(symbol) && !told.has(symbol))
  for (const symbol of reached) told.add(symbol)
  return [`=== ${name}`, ...sortedTexts(exported), `=== ${name}: reached through these`, ...sortedTexts(inner)].join(
    '\n\n',
  )
}

/** All symbols of ours that the declarations of `symbols` speak of, and so on. */
function reach(checker: ts.TypeChecker, symbols: readonly ts.Symbol[]): Set<ts.Symbol> {
  const reached = new Set(symbols)
  // A set that grows while it is walked also visits what was added.
  for (const symbol of reached) {
    for (const named of statementsOf(symbol).flatMap((statement) => namesIn(statement))) {
      const other = checker.getSymbolAtLocation(named)
      if (other !== undefined && isOurs(unaliased(checker, other))) reached.add(unaliased(checker, other))
    }
  }
  return reached
}

function namesIn(node: ts.Node): ts.Identifier[] {
  const found: ts.Identifier[] = []
  const visit = (child: ts.Node): void => {
    if (isPrivate(child)) return
    if (ts.isIdentifier(child)) found.push(child)
    ts.forEachChild(child, visit)
  }
  visit(node)
  return found
}

function unaliased(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** Whether it is declared at the top of one of our files, not inside another declaration. */
function isOurs(symbol: ts.Symbol): boolean {
  const statement = statementsOf(symbol)[0]
  return statement !== undefined && !statement.getSourceFile().fileName.includes('/node_modules/')
}

function statementsOf(symbol: ts.Symbol): ts.Statement[] {
  const statements = (symbol.declarations ?? []).flatMap((declaration) => {
    const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
    return ts.isStatement(node) && ts.isSourceFile(node.parent) ? [node] : []
  })
  return statements
}

function sortedTexts(symbols: readonly ts.Symbol[]): string[] {
  const named = symbols.map((symbol) => ({ name: symbol.name, text: statementsOf(symbol).map(textOf).join('\n') }))
  return named.sort((a, b) => compare(a.name, b.name) || compare(a.text, b.text)).map(({ text }) => text)
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

function textOf(statement: ts.Statement): string {
  const hidden = ts.isClassDeclaration(statement) ? statement.members.filter(isPrivate) : []
  const source = statement.getSourceFile().text
  let text = ''
  let from = statement.getStart()
  for (const member of hidden) {
    text += source.slice(from, member.getFullStart())
    from = member.end
  }
  return (text + source.slice(from, statement.end)).replace(/^(export )?(declare )?/, '')
}

function isPrivate(node: ts.Node): boolean {
  if (!ts.isClassElement(node)) return false
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return true
  return (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0
}
