// A value of a JSON file with its place in it, so that what is wrong is told with file and place.

/** What is wrong with a trace, and where. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
}

export class Place {
  readonly #file: string
  readonly #path: string
  readonly value: unknown

  constructor(file: string, value: unknown, path = '') {
    this.#file = file
    this.value = value
    this.#path = path
  }

  at(key: string): Place {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      throw this.wrong('an object')
    const path = this.#path === '' ? key : `${this.#path}.${key}`
    const isThere = Object.hasOwn(this.value, key)
    return new Place(this.#file, isThere ? (this.value as Record<string, unknown>)[key] : undefined, path)
  }

  /** The items of a list; none where nothing is said. */
  items(): readonly Place[] {
    if (this.value === undefined) return []
    if (!Array.isArray(this.value)) throw this.wrong('a list')
    return this.value.map((item: unknown, index) => new Place(this.#file, item, `${this.#path}[${index}]`))
  }

  text(): string {
    if (typeof this.value !== 'string' || this.value === '') throw this.wrong('a text')
    return this.value
  }

  seconds(): number {
    if (typeof this.value !== 'number' || !(this.value >= 0)) throw this.wrong('a number of 0 or more')
    return this.value
  }

  wrong(wanted: string): TraceError {
    const received = this.value === undefined ? 'not there' : (JSON.stringify(this.value).slice(0, 80) ?? 'nothing')
    return new TraceError(`${this.#file}: ${this.#path || 'the whole'} is ${received}, and is to be ${wanted}`)
  }
}
