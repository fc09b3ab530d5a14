// What crosses into a script, and out of it, is JSON: what JSON would lose is refused, with the place where it is.

/** What JSON.stringify asks of each value. */
export type Replacer = (this: unknown, key: string, value: unknown) => unknown

interface Frame {
  readonly holder: unknown
  readonly key: string
  readonly depth: number
  readonly up: Frame | undefined
}

/**
 * A replacer for one JSON.stringify that throws a TypeError for what JSON would lose; `root` is what the value is called.
 * It also runs inside the sandbox, as text: it uses nothing but what is in it.
 */
export function fitting(root: string): Replacer {
  const { toString } = Object.prototype
  const { apply } = Reflect
  const mostLevels = 200
  const noJson =
    /^(?:Map|Set|Weak\w+|Promise|RegExp|Error|\w*ArrayBuffer|DataView|\w+Array|(?:\w+ )?Iterator|\w*Generator)$/
  let frame: Frame | undefined

  const partOf = (key: string, holder: unknown): string => {
    if (Array.isArray(holder)) return `[${key}]`
    return /^[A-Za-z_$][\w$]{0,60}$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 60))}]`
  }
  const refuse = (holder: unknown, key: string, why: string): never => {
    let path = frame === undefined ? '' : partOf(key, holder)
    for (let at = frame; at?.up !== undefined; at = at.up) path = partOf(at.key, at.up.holder) + path
    throw new TypeError(`${root}${path} is ${why}`)
  }
  const isAround = (value: unknown): boolean => {
    for (let at = frame; at !== undefined; at = at.up) if (at.holder === value) return true
    return false
  }
  const whyNot = (value: object): string | undefined => {
    const kind: string = apply(toString, value, []).slice(8, -1)
    if (kind === 'Promise') return 'a promise: await it first'
    if (noJson.test(kind)) return `a ${kind}, which JSON has no form for: give plain objects and lists`
    if (isAround(value)) return 'inside itself, which JSON has no form for: leave it out'
    return (frame?.depth ?? 0) >= mostLevels ? `more than ${mostLevels} levels deep: make it flatter` : undefined
  }

  return function fit(this: unknown, key: string, value: unknown): unknown {
    while (frame !== undefined && frame.holder !== this) frame = frame.up
    if (key === '__proto__') refuse(this, key, 'a name that changes objects: give it another one')
    if (typeof value === 'object' && value !== null) {
      const why = whyNot(value)
      if (why !== undefined) refuse(this, key, why)
      frame = { holder: value, key, depth: (frame?.depth ?? 0) + 1, up: frame }
    } else if (typeof value === 'number' && value - value !== 0) {
      refuse(this, key, `${value}, which JSON has no form for: give a number or null`)
    } else if (typeof value === 'bigint') refuse(this, key, 'a bigint: give it as text, or as a number')
    else if (typeof value === 'function' || typeof value === 'symbol')
      refuse(this, key, `a ${typeof value}: leave it out`)
    return value
  }
}
