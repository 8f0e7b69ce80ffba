import { serverAddress } from '../../api.ts';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { Ask } from '../ask/Ask.tsx';
import { type Guide, guides } from './guides.ts';
import { StatusPanel } from './StatusPanel.tsx';
import { useStatus } from './status.ts';

const docsPath = 'api/wherefrom/v1/docs';

/** The first page: what this is, how it is, a question box, and how to point tools at it. */
export function Home() {
  const reading = useStatus();
  return (
    <>
      <header className="masthead">
        <Mark />
        <div>
          <h1>Wherefrom</h1>
          <p className="lead">
            Where did this prediction come from? This server keeps the answer: which model, trained
            by which run, with which code, on which data. Every answer says how it is known and
            carries a proof that its record was not changed.
          </p>
        </div>
      </header>
      <main>
        <StatusPanel reading={reading} />
        <Ask />
        <section aria-labelledby="guides-title">
          <h2 id="guides-title">Point your tools here</h2>
          {reading.status?.authentication === 'keys' && (
            <p className="hint">
              This server asks for an API key; <a href={docsPath}>the documentation</a> says how
              each tool is given one.
            </p>
          )}
          <div className="guides">
            {guides.map((guide) => (
              <GuideCard key={guide.title} guide={guide} />
            ))}
          </div>
        </section>
      </main>
      <footer>
        <a href={docsPath}>Documentation of the API</a>
        <a href="api/wherefrom/v1/openapi.json">OpenAPI description</a>
      </footer>
    </>
  );
}

function GuideCard({ guide }: { readonly guide: Guide }) {
  const commands = guide.commands(serverAddress());
  return (
    <article className="panel">
      <div className="panel-head">
        <h3>{guide.title}</h3>
        <CopyButton label={`the commands for ${guide.title}`} text={commands} />
      </div>
      <p>{guide.text}</p>
      <pre>
        <code>{commands}</code>
      </pre>
    </article>
  );
}

/** Two origins that lead to one thing. */
function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M9.2 8.5 22 16M9.2 23.5 22 16" />
      <circle className="origin" cx="7" cy="7" r="3.5" />
      <circle className="origin" cx="7" cy="25" r="3.5" />
      <circle className="result" cx="25" cy="16" r="4.5" />
    </svg>
  );
}
