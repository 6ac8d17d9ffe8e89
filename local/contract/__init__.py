"""The API's contract, OpenAPI 3.1, generated from the code: routes, models and errors."""
