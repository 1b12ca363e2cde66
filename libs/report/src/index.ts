// Charts and the report as HTML, JSON and JUnit XML.
export {};
