"""Objects against the OpenAPI of a server, field by field: what is unknown, missing or of another
type. (The server's own strict check says the same of what it decodes; this reads what it publishes.)"""


class OpenApi:
    def __init__(self, ask):
        """`ask` gives the JSON of a path of the server."""
        self.ask, self.documents = ask, {}

    def schemas(self, api_version):
        if api_version not in self.documents:
            root = "apis/" if "/" in api_version else "api/"
            document = self.ask("/openapi/v3/" + root + api_version)
            self.documents[api_version] = document["components"]["schemas"]
        return self.documents[api_version]

    def findings(self, one):
        group, _, version = one["apiVersion"].rpartition("/")
        schemas = self.schemas(one["apiVersion"])
        for schema in schemas.values():
            for kind in schema.get("x-kubernetes-group-version-kind", []):
                if (kind["group"], kind["version"], kind["kind"]) == (group, version, one["kind"]):
                    return list(compare(schemas, schema, one, one["kind"]))
        return ["%s is not among the kinds of %s" % (one["kind"], one["apiVersion"])]


TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict,
         "number": (int, float)}


def resolved(schemas, schema):
    """Through $ref, and allOf of one."""
    while True:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        elif len(schema.get("allOf", [])) == 1:
            schema = schema["allOf"][0]
        else:
            return schema


def compare(schemas, schema, value, at):
    schema = resolved(schemas, schema)
    if "oneOf" in schema:  # IntOrString, Quantity
        kinds = tuple(TYPES[one["type"]] for one in schema["oneOf"])
        if not isinstance(value, kinds):
            yield "%s: %r is of none of its types" % (at, value)
        return
    wanted = TYPES.get(schema.get("type"))
    if wanted and (not isinstance(value, wanted) or isinstance(value, bool) and wanted is not bool):
        yield "%s: %r is no %s" % (at, value, schema["type"])
        return
    if value is not None and "enum" in schema and value not in schema["enum"]:
        yield "%s: %r is none of %s" % (at, value, schema["enum"])
    if isinstance(value, list):
        for place, one in enumerate(value):
            yield from compare(schemas, schema.get("items", {}), one, "%s[%d]" % (at, place))
    elif isinstance(value, dict):
        yield from compare_fields(schemas, schema, value, at)


def compare_fields(schemas, schema, value, at):
    fields, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name in schema.get("required", []):
        if name not in value:
            yield "%s.%s is missing" % (at, name)
    for name, one in value.items():
        if name in fields:
            yield from compare(schemas, fields[name], one, "%s.%s" % (at, name))
        elif isinstance(others, dict):
            yield from compare(schemas, others, one, "%s.%s" % (at, name))
        elif fields:
            yield "%s.%s is not known" % (at, name)
