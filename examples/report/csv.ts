// Reads CSV (RFC 4180) that comes in pieces, wherever they are cut.

type Place = 'plain' | 'quoted' | 'after a quote'

export class CsvReader {
  #place: Place = 'plain'
  #field = ''
  #row: string[] = []

  /** The rows that are complete now. */
  read(piece: string): string[][] {
    const rows: string[][] = []
    for (const letter of piece) {
      if (this.#isPartOfField(letter)) this.#field += letter
      else if (letter === ',') this.#endField()
      else if (letter === '\n') rows.push(this.#endRow())
    }
    return rows
  }

  /** The last row, when no line break follows it. Throws when it ends inside of quotes. */
  end(): string[][] {
    if (this.#place === 'quoted') throw new Error('The file ends inside of a quoted field')
    return this.#row.length === 0 && this.#field === '' ? [] : [this.#endRow()]
  }

  #isPartOfField(letter: string): boolean {
    if (letter === '"') return this.#quote()
    if (this.#place === 'quoted') return true
    return letter !== ',' && letter !== '\n'
  }

  /** Opens or closes a field, unless it is one of two in a row, which stand for one. */
  #quote(): boolean {
    if (this.#place === 'quoted') {
      this.#place = 'after a quote'
      return false
    }
    const isOpening = this.#place === 'plain' && this.#field === ''
    const isDoubled = this.#place === 'after a quote'
    if (isOpening || isDoubled) this.#place = 'quoted'
    return !isOpening
  }

  #endField(): void {
    this.#row.push(this.#field)
    this.#field = ''
    this.#place = 'plain'
  }

  #endRow(): string[] {
    if (this.#field.endsWith('\r')) this.#field = this.#field.slice(0, -1)
    this.#endField()
    const row = this.#row
    this.#row = []
    return row
  }
}
