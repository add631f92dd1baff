/** The chapters. */
export function LearnPage() {
  return <main className="flex min-h-0 flex-1 flex-col overflow-y-auto p-4" />;
}
