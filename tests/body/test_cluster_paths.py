"""Paths of a cluster in the text of a batch script."""

from __future__ import annotations

import pytest

from flowc.body.paths.cluster import cluster_paths
from flowc.ir.job import Mount, Volume
from tests.scripts.jobs import unit

HOME = "/".join(("", "home", "ubuntu"))
FOUND = {
    "cd /home/$USER\n": ["/home/$USER"],
    "source /data1/courses/env/bin/activate\npython /data1/courses/a.py /gpfs/x\n": ["/data1/courses", "/gpfs/x"],
    "export D=/scratch/$USER/x E='/lustre/fsw/y' F=\"/proj/z/\"\n": ["/scratch/$USER", "/lustre/fsw", "/proj/z"],
    "cat <<EOF\n/p/a\nEOF\nx=$(ls /net/b)\n": ["/net/b"],
    f"cd /tmp/x; ls /usr/bin /opt/conda {HOME}/x /workspace/y /mnt/local /dev/null /etc/hosts\n": [],
    "# cd /home/$USER\nwget http://a/b s3://scratch/x; sed -i '/HOME/d' f; awk '/a/b' g; ls a/b/c ./scratch/x\n": [],
    "mkdir -p /scratch/me\ncd /scratch/me/x\nsrun --container-mounts=a:/data/x true\n": [],
    "docker run -v /data/x:/data/x app /app/run\n": [],
    "cd /scratch\nls / /*\n": [],
    # A word goes on behind a part in quotes.
    "cat \"$DIR\"/data/x /proj/me/'my work'/src/y \"${A}\"/b/c ~/'my d'/e/f\n": ["/proj/me"],
    'cp /lustre/"$SYSTEM"/me/x /work2/me/"$SYSTEM"/x .\n': ['/lustre/"$SYSTEM', "/work2/me"],
    'A=${A:-"/raid/a/b"}\nB=${B-"/raid2/c/d"}\n./x $A $B\n': ["/raid/a", "/raid2/c"],
    'cc -I"/proj/include/x" -DX="/data/y/z" "/lab/a/b" \'/lab2/c/d\'\n': [
        "/proj/include",
        "/data/y",
        "/lab/a",
        "/lab2/c",
    ],
    # Below folders that the image has, where it has nothing of the kind.
    "cd /mnt/personal/me/x\n./a /var/scratch/me/b /var/log/c /mnt/local/d\n": ["/mnt/personal", "/var/scratch"],
    ". /etc/bashrc\nsource /opt/intel/oneapi/setvars.sh\n/opt/nvidia/bin/x /usr/local/bin/y\n": [
        "/etc/bashrc",
        "/opt/intel",
    ],
    "if [ -f /etc/bashrc ]; then\n. /etc/bashrc\nfi\n": [],
    "apt-get install -y intel-oneapi-mkl\nsource /opt/intel/oneapi/setvars.sh\n": [],
    # What is only taken away need not be there; what a variable runs in a container is in its image.
    "rm -rf /scratch/me/old\nrmdir /scratch/me\n": [],
    'RUN="singularity exec --bind /data x.sif java -jar /app/b/c.jar"\n$RUN /tools/d/e.jar\n': [],
    'srun -l singularity exec --overlay /ovl/a/b.ext3 /img/c/d.sif bash -c "\nsource /ext3/env.sh"\n': [
        "/ovl/a",
        "/img/c",
    ],
    "singularity exec --nv --pwd /code/x -B /ovl/a:/in/b,/ovl/c /img/c/d.sif /app/e/f\n": [
        "/ovl/a",
        "/ovl/c",
        "/img/c",
    ],
    'apptainer -q run --bind="/ovl/a/b:/in" "/img/c/d.sif" --data /in/x\n': ["/ovl/a", "/img/c"],
    "singularity pull /img/c/d.sif docker://a\nsingularity exec /img/c/d.sif ./x\n": [],
    "singularity exec /sandbox/a/b /app/c/d\nsingularity exec docker://a/b /app/c/d\n": ["/sandbox/a"],
    'srun $(which singularity) exec --nv $IMG /bin/bash -c "source /ext3/env.sh"\n': [],
    "mpirun `which apptainer` run docker://ubuntu /app/b/c\n": [],
    "srun -n 1 shifter --image=a/b -e X=1 /app/c/run.sh\nls /data/x/y\n": ["/data/x"],
    'OUT=/results/$ID\nmkdir -p "$OUT"\npython a.py --out $OUT --log /results/$ID/log\n': [],
    "export TMPDIR=/scratch/$USER\nmkdir -p $TMPDIR\ncd /scratch/$USER\n": [],
    "git clone https://host/a.git /data/code && cd /data/code\n": [],
    "if [ -d /scratch/me ]; then cd /scratch/me/x; fi\n": [],
    'echo "written to /shared/out"\nprintf "%s" /shared/x >> log\n': [],
    "python serve.py --root-path /api/v1 --url=/api/v2\n": [],
    "export HF_HOME=/data/hf PIP_CACHE_DIR=/data/pip\npython a.py\n": [],
    "cat > conf.yaml <<EOF\ndata: /scratch/me\nEOF\ntee x <<'E' >/dev/null\ncd /data/y\nE\n": [],
    "python3 - <<EOF\nopen('/scratch/me/x')\nEOF\nbash <<E\ncd /data/y\nE\n": ["/scratch/me", "/data/y"],
    "usage() {\n  cat <<EOF\nusage: run /data/in\nEOF\n}\n": [],
    "srun --container-image=a --container-mounts=/data/x:/data/x python /data/x/a.py\ncd /gpfs/b\n": ["/gpfs/b"],
    "srun python a.py --data=/scratch/in/x > /logs/a/b\n": ["/scratch/in", "/logs/a"],
    "DATA=/scratch/in/x\npython a.py $DATA\n": ["/scratch/in"],
    "cp -r /scratch/in/x /data/y\nls /data/y/z\n": ["/scratch/in"],
    "python -m venv /data/venv\nsource /data/venv/bin/activate\n": [],
    "module use /appl/local/modulefiles\nml use -a /appl/x\nml unuse /appl/y\nmodule load a; ls /appl/z\n": ["/appl/z"],
    # variables by which nothing is read
    'IMAGE=/appl/images/a.sif\nSRC=/data/in/x\nDST=/data/out\necho "$IMAGE"\ncp -r $SRC $DST/\n': ["/data/in"],
    'S="/scratch/$USER"\nexport OUT_DIR=$S/out LOG=$S/log\nmkdir -p "$OUT_DIR"\npython a.py --out_dir $OUT_DIR\n': [],
    "export SCRATCH=${SCRATCH:-/scratch/$USER}\nexport HF_HOME=$SCRATCH/hf\npython a.py\n": [],
    "W=/lab1/me/x\nexport DATA=$W/in\npython a.py\n": ["/lab1/me"],
    "A=/lab1/me\nB=$A/env\nsource $B/bin/activate\n": ["/lab1/me"],
    "D=/data/in\nfor f in $D/*.txt; do :; done\n": ["/data/in"],
    "D=/data/in\nn=$(wc -l < $D/a)\n": ["/data/in"],
    'D=/data/in\nbash -c "ls $D"\n': ["/data/in"],
    "D=/data/in\npython - <<EOF\nopen('$D/x')\nEOF\n": ["/data/in"],
    "D=/data/in\ncat >conf <<EOF\ndata: $D\nEOF\n": ["/data/in"],
    "D=/data/in\necho ok > $D/log\n": ["/data/in"],
    'D=/data/in\neval "ls \\$D"\n': ["/data/in"],
    'D=/data/in\nARGS=(--data $D)\npython a.py "${ARGS[@]}"\n': ["/data/in"],
    "declare -rx D=/data/in\n./a.out\n": ["/data/in"],
    "D=/data/in\n. ./run.sh\n": ["/data/in"],
    "D=/data/in\nsource env/bin/activate\n": [],
    "D=/data/in ./a.out\n": ["/data/in"],
    "export PATH=$PATH:/lab1/bin/x:/usr/bin LD_LIBRARY_PATH=/lab2/a/lib:/lab3/b/lib\n": [
        "/lab1/bin",
        "/lab2/a",
        "/lab3/b",
    ],
    "export A=host:/lab1/x\n": [],
    "export PATH=$PATH:/lab1/bin/x\n": ["/lab1/bin"],
    # options for folders that programs make
    "nextflow run a --outdir /nesi/out/x\npython a.py --save=/lab1/ckpt/x --logging-dir /lab1/log/x\n": [],
    "nextflow run a -work-dir /lab1/w/x\npython a.py --cache_dir /lab1/c/x --tmp-dir=/lab1/t/x\n": [],
    "python a.py --output /data/o/x.csv --load /data/ckpt/x --logger /data/l/x\n": ["/data/o", "/data/ckpt", "/data/l"],
    # an image that an array names
    'A=(--container-image a --mpi=pmix)\nsrun -l "${A[@]}" python /app/scripts/a.py\nls /data/x\n': ["/data/x"],
}


@pytest.mark.parametrize("text", FOUND)
def test_paths_of_a_cluster(text: str) -> None:
    job = unit(f"#!/bin/bash\n{text}").job
    found = cluster_paths(job)
    assert list(found) == FOUND[text]
    assert [(job.run.text or "")[slice(*place)] for place in found.values()] == list(found)


def test_what_is_in_a_folder_of_the_job_alone_it_has_put_there_itself() -> None:
    text = "#!/bin/bash\npython a.py --out $SLURM_TMPDIR/x\ncp $SLURM_TMPDIR/x/y .\ncp $SCRATCH/in/x .\n"
    env = (("SLURM_TMPDIR", "/localscratch"), ("SCRATCH", "/scratch"))
    assert list(cluster_paths(unit(text, env=env).job)) == ["/scratch/in"]


def test_what_the_job_mounts_is_there() -> None:
    text = "#!/bin/bash\ncd /scratch/me/x\nls /data/y\n"
    mount = Mount(kind="bucket", source="s3://b/me", target="/scratch/me")
    assert list(cluster_paths(unit(text, mounts=(mount,)).job)) == ["/data/y"]
    assert not cluster_paths(unit(text, image="a").job)


def test_the_folder_of_the_job_is_made_and_empty() -> None:
    text = "#!/bin/bash\ncd /lustre/me/run\npython /lustre/me/run/a.py > /lustre/me/run/out --x /lustre/me/run/data\n"
    assert list(cluster_paths(unit(text, workdir="/lustre/me/run").job)) == ["/lustre/me"]
    assert not cluster_paths(unit(text.replace("a.py", "a"), workdir="/lustre/me/run").job)


def test_a_volume_is_where_the_provider_puts_it() -> None:
    text = "#!/bin/bash\ncd /mnt/data/x\n"
    assert list(cluster_paths(unit(text).job)) == ["/mnt/data"]
    volume = Volume(name="data", size_bytes=10**9, interface="file", mount_path="/volumes/data", create=False)
    assert not cluster_paths(unit(text, volumes=(volume,)).job)


def test_what_prepares_the_job_makes_paths_too() -> None:
    text = "#!/bin/bash\ncd /data/y/z\nls /scratch/me\n"
    assert list(cluster_paths(unit(text, setup="aws s3 cp --recursive s3://b/y /data/y\n").job)) == ["/scratch/me"]
