// Where the file of a store is: its folder, and whether it can be written there.
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { folderUnusable, storeReadonly } from './errors.ts'

/** What tells a file from another in its place; undefined where there is none, and in memory. */
export function inodeOf(path: string): number | undefined {
  return path === ':memory:' ? undefined : statSync(path, { throwIfNoEntry: false })?.ino
}

/** Makes the folder of a file. Throws `store_…` where that cannot be, and for a file that is there and cannot be written. */
export function checkFolder(path: string): void {
  makeFolderOf(path)
  try {
    accessSync(path, constants.W_OK)
  } catch (cause) {
    // SQLite would open the file to read it, and leave a log behind that its owner cannot write.
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw storeReadonly(path, cause)
  }
}

function makeFolderOf(path: string): void {
  try {
    makeFolder(dirname(path))
  } catch (cause) {
    throw folderUnusable(path, cause)
  }
}

// One folder at a time: on Node 20 mkdirSync with `recursive` never returns where a file system refuses with ENOENT, as /proc does.
function makeFolder(folder: string): void {
  if (isFolder(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (cause) {
    if (!isFolder(folder)) throw cause
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
