// An answer that is an error (RFC 9457), or no answer at all.
export interface Fault {
  detail: string
  pointer?: string
  parameter?: string
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail = '',
    readonly errors: Fault[] = [],
    readonly trace = '',
    readonly retryAfter = 0,
  ) {
    super(title)
  }
}

interface Body {
  title?: string
  code?: string
  detail?: string
  trace_id?: string
  errors?: Fault[]
}

export async function problemOf(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => ({}))) as Body
  const after = Number(answer.headers.get('retry-after')) || 0
  return new Problem(answer.status, body.code ?? '', body.title ?? `HTTP ${answer.status}`, body.detail, body.errors, body.trace_id, after)
}
