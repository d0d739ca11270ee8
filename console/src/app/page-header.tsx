import type { ReactNode } from 'react';

/** A page's title with its main actions at the right. */
export function PageHeader({
  title,
  extra,
  children,
}: {
  readonly title: ReactNode;
  readonly extra?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <header className="page-header">
      <div className="page-header-title">
        <h1>{title}</h1>
        {children}
      </div>
      {extra !== undefined && <div className="page-header-extra">{extra}</div>}
    </header>
  );
}
