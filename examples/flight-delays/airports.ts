// Reads airports.csv: who is behind an airport code, and where.

export interface Airport {
  readonly iata: string
  readonly name: string
  readonly city: string
  /** Two letters, also for territories (PR, VI). */
  readonly state: string
  readonly latitude: number
  readonly longitude: number
}

export interface Airports {
  readonly byCode: ReadonlyMap<string, Airport>
  readonly rows: number
  /** Rows without a code or a position on Earth, with the header line counted as line 1. */
  readonly bad: readonly { readonly line: number; readonly text: string }[]
}

const header = ['iata', 'name', 'city', 'state', 'country', 'latitude', 'longitude']

/** Parses the whole file. Throws when its columns are not the expected ones, because then every value would be a guess. */
export function parseAirports(csv: string): Airports {
  const [names, ...records] = parseCsv(csv)
  if (names?.join() !== header.join()) {
    throw new Error(`airports.csv has the columns ${names?.join() ?? '(none)'}, expected ${header.join()}`)
  }
  const byCode = new Map<string, Airport>()
  const bad: { line: number; text: string }[] = []
  records.forEach((fields, index) => {
    const airport = toAirport(fields)
    if (airport) byCode.set(airport.iata, airport)
    else bad.push({ line: index + 2, text: fields.join() })
  })
  return { byCode, rows: records.length, bad }
}

/** Splits comma-separated text into records; a quoted field may hold commas, line ends and doubled quotes. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let fields: string[] = []
  const token = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy
  while (token.lastIndex < text.length) {
    const match = token.exec(text)
    if (!match) throw new Error(`Record ${records.length + 1} has a quote that is not closed or not alone in its field`)
    const [, quoted, plain, separator] = match
    fields.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (separator === ',') continue
    records.push(fields)
    fields = []
  }
  return records
}

function toAirport(fields: readonly string[]): Airport | undefined {
  const [iata = '', name = '', city = '', state = '', , latitudeText = '', longitudeText = ''] = fields
  const latitude = toDegrees(latitudeText, 90)
  const longitude = toDegrees(longitudeText, 180)
  if (fields.length !== header.length || iata === '') return undefined
  if (latitude === undefined || longitude === undefined) return undefined
  return { iata, name, city, state, latitude, longitude }
}

function toDegrees(text: string, limit: number): number | undefined {
  const degrees = Number(text)
  return text.trim() !== '' && Math.abs(degrees) <= limit ? degrees : undefined
}
