// The statements of the store as they are sent: translated once, and under a name where a connection keeps what it prepared.
import type { Request } from '../query.ts'
import { translate, type Translated } from './dialect.ts'
import type { Statement } from './piece.ts'
import type { Place } from './place.ts'
import { boundOf } from './values.ts'

interface Known extends Translated {
  readonly name: string
}

export class Statements {
  readonly #known = new Map<string, Known>()
  readonly #isNamed: boolean

  constructor({ isPooled }: Place) {
    this.#isNamed = !isPooled
  }

  of({ sql, values }: Request): Statement {
    const { name, text, lists } = this.#translated(sql)
    const bound = values.map((value, place) => boundOf(value, lists.get(place)))
    return { ...(this.#isNamed && { name }), text, values: bound }
  }

  /** One that stands as it is, and takes no values. */
  plain(name: string, text: string): Statement {
    return { ...(this.#isNamed && { name: `troupe_${name}` }), text, values: [] }
  }

  #translated(sql: string): Known {
    const known = this.#known.get(sql)
    if (known !== undefined) return known
    const translated = { ...translate(sql), name: `troupe_${this.#known.size}` }
    this.#known.set(sql, translated)
    return translated
  }
}
