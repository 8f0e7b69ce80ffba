import { useEffect, useState } from 'react';

const SAID_FOR_MS = 2_000;

/** Copies `text`; `label` says which text that is, for those who do not see what stands beside. */
export function CopyButton({ label, text }: { readonly label: string; readonly text: string }) {
  const [said, setSaid] = useState<'Copied' | 'Select it by hand' | undefined>();

  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);

  // The clipboard exists on https and loopback only; elsewhere the text can still be selected.
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      setSaid('Select it by hand');
    }
  }

  return (
    <>
      <button className="copy" type="button" onClick={copy} aria-label={`Copy ${label}`}>
        {said ?? 'Copy'}
      </button>
      <span className="unseen" role="status">
        {said}
      </span>
    </>
  );
}
