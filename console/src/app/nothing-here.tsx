import { Empty } from 'antd';
import type { ReactNode } from 'react';

/** An empty list, with what to do next. */
export function NothingHere({
  title,
  hint,
  children,
}: {
  readonly title: string;
  readonly hint?: string;
  readonly children?: ReactNode;
}) {
  return (
    <Empty
      image={Empty.PRESENTED_IMAGE_SIMPLE}
      description={
        <div className="nothing">
          <strong>{title}</strong>
          {hint !== undefined && <span>{hint}</span>}
        </div>
      }
    >
      {children}
    </Empty>
  );
}
