// What templates are called: the name and version of their runs, and both with their hash.
import type { Template } from './template.ts'

/** One template, and what of it there is. */
export interface TemplateTitle {
  /** By which its runs are started. */
  readonly name: string
  readonly version: string
  readonly hash: string
}

export function titleOf(template: Template): TemplateTitle {
  return { name: nameOf(template), version: template.version, hash: template.hash }
}

/** A namespace is a part of the name by which runs are started, but for the default one. */
export function nameOf({ namespace, name }: Pick<Template, 'namespace' | 'name'>): string {
  return namespace === 'default' ? name : `${namespace}/${name}`
}

/** Its runs stay with what it says: what says something else is another version. */
export function versionOf({ version, hash }: Pick<Template, 'version' | 'hash'>): string {
  return `${version}+${shortHash(hash)}`
}

// Enough of a hash to tell the texts of one name and version apart.
const hashLength = 12

export function shortHash(hash: string): string {
  return hash.slice(0, hashLength)
}
