// Real traces and templates that are no part of the project: where they are, when they are there.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The files of one kind below the folder that `TROUPE_DATA` names; none where it names none. */
export function dataFiles(folder: string, extension: string): readonly string[] {
  const data = process.env['TROUPE_DATA']
  if (data === undefined || data === '') return []
  const path = join(data, folder)
  if (!existsSync(path)) return []
  const names = readdirSync(path).filter((name) => name.endsWith(extension))
  return names.sort().map((name) => join(path, name))
}
