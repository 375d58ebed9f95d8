#!/usr/bin/env python3
"""Runs the words of the containers of examples/kubernetes, as their user and with their secrets laid out as Kubernetes does. In network and
mount namespaces of its own, as root; started by tests/test_kubernetes.sh.

usage: pods.py EXAMPLES FOLDER        FOLDER has the command, a file of hosts and secrets.yaml
"""
import base64
import os
import signal
import subprocess
import sys
import time

import yaml

examples, folder = sys.argv[1:]
documents = [document for name in ('coordinator.yaml', 'workers-job.yaml', 'workers-deployment.yaml')
             for document in yaml.safe_load_all(open(os.path.join(examples, name)))]
secrets = {document['metadata']['name']: document['data']
           for document in yaml.safe_load_all(open(os.path.join(folder, 'secrets.yaml')))}
graphs = next(document['data'] for document in documents if document['kind'] == 'ConfigMap')


def lay_out(path, files, mode, group):
    """Files as in a volume of a Secret or a ConfigMap: links to files in a folder that is replaced as a whole."""
    os.makedirs(os.path.join(path, '..1'))
    os.symlink('..1', os.path.join(path, '..data'))
    for name, content in files.items():
        target = os.path.join(path, '..1', name)
        with open(target, 'wb') as file:
            file.write(content)
        os.chmod(target, mode)
        os.chown(target, 0, group)
        os.symlink(os.path.join('..data', name), os.path.join(path, name))


def prepare():
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)
    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run'], check=True)
    subprocess.run(['mount', '--bind', os.path.join(folder, 'hosts'), '/etc/hosts'], check=True)
    for name in ('bin', 'secret', 'graphs', 'dagwood', 'secrets'):
        os.mkdir('/run/' + name)
    subprocess.run(['cp', os.path.join(folder, 'dagwood'), '/run/bin/'], check=True)
    for name, data in secrets.items():
        lay_out('/run/secrets/' + name, {key: base64.b64decode(value) for key, value in data.items()}, 0o440, 10001)
    subprocess.run(['rmdir', '/run/graphs'], check=True)
    lay_out('/run/graphs', {key: value.encode() for key, value in graphs.items()}, 0o644, 0)


def pod(spec, words, secret=None):
    """The process of a pod: its init container's words, then words; with another secret than its own, if that is said."""
    context = spec['securityContext']
    volume = next(volume for volume in spec['volumes'] if 'secret' in volume)
    secret = secret or volume['secret']['secretName']
    init = spec['initContainers'][0]['command'] # sh -c WORDS
    script = """
        mount --bind /run/secrets/%s /run/secret
        mount -t tmpfs -o gid=%d,mode=2777 tmpfs /run/dagwood
        PATH=/run/bin:$PATH exec setpriv --reuid %d --regid %d --groups %d --no-new-privs --bounding-set -all \\
            sh -c "$0 && exec \\"\\$@\\"" sh "$@"
    """ % (secret, context['fsGroup'], context['runAsUser'], context['runAsGroup'], context['fsGroup'])
    return subprocess.Popen(['unshare', '--mount', 'bash', '-euc', script, init[2]] + words, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def spec_of(kind):
    return next(document['spec']['template']['spec'] for document in documents if document['kind'] == kind)


def words_of(spec):
    return ['dagwood'] + [word.replace('$(CPUS)', '2') for word in spec['containers'][0]['args']]


def end(process, status, what):
    out, err = process.communicate(timeout=30)
    if process.returncode != status:
        sys.exit('%s ended with %s, not %s:\n%s%s' % (what, process.returncode, status, out, err))
    return out


def await_workers(count):
    probe = spec_of('StatefulSet')['containers'][0]['livenessProbe']['exec']['command']
    for _ in range(100):
        process = pod(spec_of('StatefulSet'), probe + ['--format=json'])
        out, _ = process.communicate(timeout=30)
        if process.returncode == 0 and out.count('"pid"') == count:
            return
        time.sleep(0.1)
    sys.exit('there were never %d workers: the probe said %d, %s' % (count, process.returncode, out))


def main():
    prepare()
    stateful, job, deployment = spec_of('StatefulSet'), spec_of('Job'), spec_of('Deployment')
    coordinator = pod(stateful, words_of(stateful))
    await_workers(0)
    first, second = pod(job, words_of(job)), pod(deployment, words_of(deployment))
    await_workers(2)
    client = pod(job, ['dagwood', 'submit', '--connect=tcp://dagwood:5555', '--key=/run/dagwood/keys/client.key',
                       '--server-key=/run/dagwood/keys/coordinator.key.pub', '--input', 'hello', '--output', 'reverse'],
                 'dagwood-client')
    if end(client, 0, 'a client').splitlines()[1] != 'OLLEH':
        sys.exit('the client got something else')
    stranger = pod(job, [word.replace('worker.key', 'client.key') for word in words_of(job)], 'dagwood-client')
    end(stranger, 77, 'a worker with the key of a client')  # at which the Job fails
    second.send_signal(signal.SIGTERM)
    end(second, 0, 'a worker that is drained')
    coordinator.send_signal(signal.SIGTERM)
    end(coordinator, 0, 'the coordinator')
    end(first, 0, 'a worker of a coordinator that has ended')
    print('run: coordinator, probe, workers of the Job and the Deployment, a client, a stranger')


main()
