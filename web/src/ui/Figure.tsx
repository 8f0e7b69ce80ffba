/** One number with its name, for a row of them inside a `dl`. */
export function Figure({ name, value }: { readonly name: string; readonly value: number }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{value.toLocaleString()}</dd>
    </div>
  );
}
