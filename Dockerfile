# docker build -t ladi-vton . && docker run --rm -p 7860:7860 ladi-vton
# docker build -t ladi-vton:cuda --build-arg VARIANT=cuda . && docker run --rm --gpus all -p 7860:7860 ladi-vton:cuda
# Full-size models: add -v /path/to/models:/app/models -e LADI_MODEL=vitonhd. Other settings: docker run … python app.py --help
FROM python:3.11-slim-bookworm

# cpu or cuda. CUDA comes with PyTorch's own wheels; the host needs its driver and the NVIDIA container toolkit.
ARG VARIANT=cpu
# Where PyTorch's CPU builds come from.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# Few arenas: each thread would keep memory that another has given back.
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 LADI_PUBLIC=1 LADI_PORT=7860 GRADIO_ANALYTICS_ENABLED=False MALLOC_ARENA_MAX=2

WORKDIR /app
COPY packages.txt requirements.txt ./
RUN apt-get update \
    && xargs -a packages.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
RUN case "$VARIANT" in \
        cpu) pip install "$(grep '^torch==' requirements.txt)" --index-url "$TORCH_INDEX" ;; \
        cuda) ;; \
        *) echo "VARIANT must be cpu or cuda, got $VARIANT" >&2; exit 1 ;; \
    esac \
    && pip install -r requirements.txt

COPY app.py LICENSE ./
COPY app ./app
COPY ladi ./ladi
COPY assets ./assets
RUN useradd --create-home --uid 1000 ladi && mkdir models && chown -R ladi /app
USER ladi
# rembg compiles on its first import; done here, it is done once.
RUN python -c "import rembg"

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=3m --retries=3 \
    CMD python -c "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"LADI_PORT\"]}/health', timeout=4)"
CMD ["python", "app.py"]
