// Where a module of this library lies that a thread is to run.

/** The module of that name in the folder of `from`: as TypeScript while the library is read from its own sources. */
export function moduleBeside(from: string, name: string): URL {
  return new URL(`./${name}${isSource(from) ? '.ts' : '.js'}`, from)
}

/** Whether the library is read from its own sources. */
export function isSource(module: string): boolean {
  return module.endsWith('.ts')
}
