#!/usr/bin/env python3
"""Checks the manifests of examples/kubernetes: every field against the API (api.txt), and what they say of each other and of dagwood.

usage: tests/kubernetes/check.py MANIFEST...      exits 1 and says what is wrong
"""
import os
import re
import sys

import yaml

FOLDER = os.path.dirname(os.path.abspath(__file__))
KINDS = {'v1': 'core.v1.', 'apps/v1': 'apps.v1.', 'batch/v1': 'batch.v1.', 'networking.k8s.io/v1': 'networking.v1.'}
SCALARS = {'string': str, 'integer': int, 'boolean': bool, 'number': (int, float), 'int-or-string': (int, str),
           'quantity': (int, float, str)}
QUANTITY = re.compile(r'^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$')
# Statuses of the command that are the same the next time.
HOPELESS = [64, 65, 66, 77, 78]
REFUSED = [76] # the same for this one

problems = []


def problem(where, text):
    problems.append('%s: %s' % (where, text))


# -- The API -----------------------------------------------------------------------------------------------------------

def read_api():
    types = {}
    for line in open(os.path.join(FOLDER, 'api.txt')):
        if line.startswith('#'):
            continue
        name, _, fields = line.strip().partition(':')
        types[name] = dict(field.split('=') for field in fields.split())
    return types


def check_value(api, value, of, where):
    if of == 'any':
        return
    if of[0] == '[':
        if not isinstance(value, list):
            return problem(where, 'is no list')
        for i, one in enumerate(value):
            check_value(api, one, of[1:-1], '%s[%d]' % (where, i))
    elif of[0] == '{':
        if not isinstance(value, dict):
            return problem(where, 'is no map')
        for key, one in value.items():
            check_value(api, key, 'string', '%s: the key %r' % (where, key))
            check_value(api, one, of[1:-1], '%s.%s' % (where, key))
    elif of in SCALARS:
        is_bool = isinstance(value, bool)
        if not isinstance(value, SCALARS[of]) or is_bool != (of == 'boolean'):
            problem(where, '%r is no %s' % (value, of))
        elif of == 'quantity' and not QUANTITY.match(str(value)):
            problem(where, '%r is no quantity' % value)
    else:
        check_type(api, value, of, where)


def check_type(api, value, name, where):
    if not isinstance(value, dict):
        return problem(where, 'is no %s' % name)
    fields = api[name]
    for field, one in value.items():
        if field not in fields:
            problem(where, '%s has no field %s' % (name, field))
        else:
            check_value(api, one, fields[field].rstrip('!'), '%s.%s' % (where, field))
    for field, of in fields.items():
        if of.endswith('!') and field not in value:
            problem(where, '%s needs %s' % (name, field))


def check_document(api, document, where):
    kind = KINDS.get(document.get('apiVersion'), '?') + str(document.get('kind'))
    if kind not in api:
        return problem(where, '%s of %s is not known' % (document.get('kind'), document.get('apiVersion')))
    check_type(api, document, kind, where)


# -- What they say of each other ---------------------------------------------------------------------------------------

def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.items())


def option(container, name):
    for word in container['args']:
        if word.startswith('--%s=' % name):
            return word.split('=', 1)[1]
    return None


def check_pod(spec, where):
    """That it is confined and limited, that its volumes are there, and that it gets time to drain."""
    volumes = {volume['name'] for volume in spec['volumes']}
    if not spec['securityContext'].get('runAsNonRoot') or spec.get('automountServiceAccountToken') is not False:
        problem(where, 'it may be root, or has a token of the API')
    for container in spec['initContainers'] + spec['containers']:
        name = '%s %s' % (where, container['name'])
        context = container.get('securityContext', {})
        if context.get('allowPrivilegeEscalation') is not False or not context.get('readOnlyRootFilesystem') or \
                context.get('capabilities') != {'drop': ['ALL']}:
            problem(name, 'it is not confined')
        if set(container.get('resources', {}).get('limits', {})) != {'cpu', 'memory'}:
            problem(name, 'it has no limits of cpu and memory')
        for mount in container.get('volumeMounts', []):
            if mount['name'] not in volumes:
                problem(name, 'there is no volume %s' % mount['name'])
    main = spec['containers'][0]
    grace = option(main, 'grace-seconds')
    if grace and int(grace) >= spec['terminationGracePeriodSeconds']:
        problem(where, 'it is killed before --grace-seconds are over')


def check_together(documents):
    named = {(document['kind'], document['metadata']['name']): document for document in documents}
    pods = {}
    for (kind, name), document in named.items():
        if 'template' in document.get('spec', {}):
            pods['%s %s' % (kind, name)] = document['spec']['template']
    for where, template in pods.items():
        check_pod(template['spec'], where)
        for volume in template['spec']['volumes']:
            if 'secret' in volume and ('Secret', volume['secret']['secretName']) not in named:
                problem(where, 'there is no Secret %s' % volume['secret']['secretName'])
            if 'configMap' in volume and ('ConfigMap', volume['configMap']['name']) not in named:
                problem(where, 'there is no ConfigMap %s' % volume['configMap']['name'])
    labels = [template['metadata']['labels'] for template in pods.values()]
    for (kind, name), document in named.items():
        spec = document.get('spec', {})
        where = '%s %s' % (kind, name)
        selector = spec.get('podSelector', spec.get('selector', {}))
        selector = selector.get('matchLabels', selector)
        if kind in ('Service', 'NetworkPolicy') and not any(matches(selector, one) for one in labels):
            problem(where, 'it selects nothing')
        if kind in ('StatefulSet', 'Deployment') and not matches(selector, spec['template']['metadata']['labels']):
            problem(where, 'it does not select its own pods')
        if kind == 'StatefulSet' and (('Service', spec['serviceName']) not in named or spec['replicas'] != 1):
            problem(where, 'it has no Service, or is not one')
        if kind == 'Job':
            check_failure_policy(spec, where)
    service = named[('Service', 'dagwood')]
    for where, template in pods.items():
        connect = option(template['spec']['containers'][0], 'connect')
        if connect and connect != 'tcp://dagwood:%d' % service['spec']['ports'][0]['port']:
            problem(where, 'it connects to %s, where no Service is' % connect)


def check_failure_policy(spec, where):
    rules = spec['podFailurePolicy']['rules']
    fails = [rule['onExitCodes']['values'] for rule in rules if rule['action'] == 'FailJob']
    if fails != [HOPELESS]:
        problem(where, 'it fails at %s, not at %s' % (fails, HOPELESS))
    gives_up = [rule['onExitCodes']['values'] for rule in rules if rule['action'] == 'FailIndex']
    if gives_up != [REFUSED]:
        problem(where, 'it gives an index up at %s, not at %s' % (gives_up, REFUSED))
    for rule in rules:
        codes = rule.get('onExitCodes', {'values': []})
        if codes['values'] != sorted(set(codes['values'])) or (codes.get('operator') == 'In' and 0 in codes['values']):
            problem(where, 'the API wants values in order, each once, and no 0 for In')
        if 'onExitCodes' in rule and codes['containerName'] != spec['template']['spec']['containers'][0]['name']:
            problem(where, 'a rule is for a container that is not there')
    if spec['template']['spec']['restartPolicy'] != 'Never':
        problem(where, 'the API wants restartPolicy Never for a podFailurePolicy')


def main():
    api = read_api()
    documents = []
    for path in sys.argv[1:]:
        for i, document in enumerate(yaml.safe_load_all(open(path))):
            check_document(api, document, '%s[%d]' % (os.path.basename(path), i))
            documents.append(document)
    if not problems:
        # A Job and a Deployment of workers have one name each; either is used, so both are looked at.
        check_together(documents)
    for text in problems:
        print(text)
    print('%d manifests, %d problems' % (len(documents), len(problems)))
    sys.exit(1 if problems else 0)


main()
