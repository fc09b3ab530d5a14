// What the types of values say of whether they can be stored.

type Primitive = string | number | boolean | bigint | null | undefined | void
type Kept = Date | RegExp | URL | Error | ArrayBufferView | ArrayBuffer
type AnyFunction = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown)

// How deep it is looked, which ends types that hold themselves.
type Depth = [end: 0, 0, 1, 2, 3, 4, 5]

/** The paths in a type at which there is what cannot be stored, each with what that is; never for `any` and `unknown`, of which nothing is known. */
type Unstorable<Value, Left extends number = 6> = 0 extends 1 & Value
  ? never
  : unknown extends Value
    ? never
    : Left extends 0
      ? never
      : Value extends Primitive | Kept
        ? never
        : Value extends AnyFunction
          ? ' is a function'
          : Value extends symbol
            ? ' is a symbol'
            : Value extends PromiseLike<unknown>
              ? ' is a promise'
              : UnstorableInside<Value, Depth[Left]>

type UnstorableInside<Value, Left extends number> =
  Value extends ReadonlyMap<infer Key, infer Item>
    ? `.keys()${Unstorable<Key, Left>}` | `.get()${Unstorable<Item, Left>}`
    : Value extends ReadonlySet<infer Item>
      ? `.values()${Unstorable<Item, Left>}`
      : Value extends readonly unknown[]
        ? `[]${Unstorable<Value[number], Left>}`
        : {
            [Key in keyof Value]-?: Key extends string | number ? `.${Key}${Unstorable<Value[Key], Left>}` : never
          }[keyof Value]

type Found<Value, What extends string> = [Unstorable<Value>] extends [never] ? null : `${What}${Unstorable<Value>}`

/** Nothing is one. What it holds is read in the error of the compiler. */
interface NotStorable<Why> {
  readonly 'cannot be stored': Why
}

/**
 * Beside the type of a parameter: nothing where `Value` can be stored as far as types can tell, else a type that nothing has and that names the property.
 * A type that a generic function of a program leaves open passes.
 */
export type Storable<Value, What extends string = 'value'> =
  Found<Value, What> extends string ? NotStorable<Found<Value, What>> : unknown
