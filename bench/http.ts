/** MLflow's answer to creating a run. */
export interface CreatedRun {
  readonly run: { readonly info: { readonly run_id: string } };
}

/** Posts one body and reads the JSON answer. @throws with the answer when it is not 2xx. */
export async function post<T = unknown>(url: string, body: string): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`POST ${url} answered ${response.status}: ${text.slice(0, 500)}`);
  // The caller names what this request is answered with.
  return JSON.parse(text) as T;
}
