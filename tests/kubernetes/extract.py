#!/usr/bin/env python3
"""Makes api.txt of the API's own description: swagger.json (OpenAPI 2) of Kubernetes' repository, or its definitions alone.

usage: tests/kubernetes/extract.py DEFINITIONS VERSION > tests/kubernetes/api.txt

A line is a type and its fields, as NAME=TYPE; ! stands behind one that is required; [T] is a list, {T} a map. Descriptions and what the
API server fills in (status) are left out.
"""
import json
import sys

ROOTS = ['apps.v1.StatefulSet', 'apps.v1.Deployment', 'batch.v1.Job', 'core.v1.Service', 'core.v1.Secret',
         'core.v1.ConfigMap', 'core.v1.ServiceAccount', 'networking.v1.NetworkPolicy']
# What is a value of its own in JSON, though a type in Go.
SCALARS = {'resource.Quantity': 'quantity', 'intstr.IntOrString': 'int-or-string', 'v1.Time': 'string',
           'v1.MicroTime': 'string', 'v1.FieldsV1': 'any'}


def short(reference):
    """io.k8s.api.core.v1.Pod -> core.v1.Pod; io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta -> meta.v1.ObjectMeta"""
    name = reference.split('/')[-1]
    return '.'.join(name.split('.')[-3:])


def kind(schema, wanted):
    if '$ref' in schema:
        name = short(schema['$ref'])
        scalar = SCALARS.get('.'.join(name.split('.')[-2:]))
        if not scalar:
            wanted.append(name)
        return scalar or name
    of = schema.get('type')
    of = of[0] if isinstance(of, list) else of
    if of == 'array':
        return '[%s]' % kind(schema['items'], wanted)
    if of == 'object':
        return '{%s}' % kind(schema.get('additionalProperties') or {}, wanted)
    return of or 'any'


def main():
    definitions = json.load(open(sys.argv[1]))
    definitions = definitions.get('definitions') or definitions.get('$defs') or definitions
    types = {short(name): schema for name, schema in definitions.items()}
    wanted, lines = list(ROOTS), {}
    while wanted:
        name = wanted.pop()
        if name in lines:
            continue
        schema = types[name]
        required = schema.get('required', [])
        fields = ['%s=%s%s' % (field, kind(of, wanted), '!' if field in required else '')
                  for field, of in sorted(schema.get('properties', {}).items())
                  if field != 'status' or name not in ROOTS]
        lines[name] = ' '.join([name + ':'] + fields)
    print('# Types and fields of the API of Kubernetes %s (Apache License 2.0, https://kubernetes.io), made by extract.py.'
          % sys.argv[2])
    for name in sorted(lines):
        print(lines[name])


main()
