import { Form } from 'antd';
import type { ReactNode } from 'react';

/** A labelled field with what is wrong with it. */
export function Field(p: {
  readonly label?: string;
  readonly htmlFor?: string;
  readonly problem: string | undefined;
  readonly hint?: string;
  readonly required?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <Form.Item
      {...(p.label === undefined ? {} : { label: p.label })}
      {...(p.htmlFor === undefined ? {} : { htmlFor: p.htmlFor })}
      {...(p.problem === undefined
        ? {}
        : { validateStatus: 'error' as const, help: <span role="alert">{p.problem}</span> })}
      {...(p.hint === undefined ? {} : { extra: p.hint })}
      required={p.required === true}
      layout="vertical"
      className="field"
    >
      {p.children}
    </Form.Item>
  );
}
