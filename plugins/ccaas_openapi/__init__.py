"""Operations of a system that describes itself by OpenAPI, as tools."""
