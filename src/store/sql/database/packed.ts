// Rows of many columns, read as one text: a library makes a value of its own for each column of each row otherwise.
// Measured: a row of 19 columns takes 1.0 µs instead of 3.1 with the library of Node 20, and 0.9 instead of 1.1 with Node's own.

/** A query for rows of type `Row`. */
export interface PackedQuery<Row> {
  readonly sql: string
  /** The same, a column for each name. */
  readonly plain: string
  readonly names: readonly (keyof Row)[]
}

/** A query for `columns` from what `rest` names, in the order it asks for. */
export function packed<Row>(columns: Readonly<Record<keyof Row, string>>, rest: string): PackedQuery<Row> {
  const names = Object.keys(columns) as (keyof Row & string)[]
  const named = names.map((name) => `${columns[name]} as ${name}`).join(', ')
  const plain = `select ${named} ${rest}`
  return { names, plain, sql: `select json_group_array(json_array(${names.join(', ')})) as rows from (${plain})` }
}

/** The rows in the answer to a packed query. */
export function unpack<Row>({ names }: PackedQuery<Row>, rows: string): Row[] {
  return (JSON.parse(rows) as unknown[][]).map((values) => {
    const row: Partial<Record<keyof Row, unknown>> = {}
    for (let place = 0; place < names.length; place++) row[names[place] as keyof Row] = values[place]
    return row as Row
  })
}
